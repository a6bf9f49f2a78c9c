/** Why a transition was put off, or is blocked: a code for programs, with a text for people beside it. */
import type { RequestFailure } from "../../src/github/request-failure.ts";
import type { BlockedCode } from "../store/model.ts";

export interface TransitionFailure {
  readonly code: BlockedCode | "behind";
  /** For the history: a sentence without its full stop. */
  readonly text: string;
}

/** GitHub's answer showed a time before our last write. */
export const BEHIND: TransitionFailure = {
  code: "behind",
  text: "GitHub answered with what was there before our last write",
};

export function failureOf(failure: RequestFailure): TransitionFailure {
  return { code: failure.kind, text: textOf(failure) };
}

function textOf(failure: RequestFailure): string {
  switch (failure.kind) {
    case "temporary":
      return failure.status === null ? "GitHub's answer was lost" : `GitHub answered ${failure.status}`;
    case "rate_limit":
      return "GitHub's rate limit was reached";
    case "permission":
      return `the app may not do it: ${failure.message}`;
    case "rejected":
      return `GitHub refused it: ${failure.message}`;
  }
}
