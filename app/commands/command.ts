/** What carries out one command. One file each, all in `index.ts`; `execute.ts` calls them. */
import type { Actor } from "../../src/lifecycle/facts/facts.ts";
import type { EvaluatedPull } from "../evaluation/evaluator.ts";
import type { OpenGates } from "../evaluation/holds/close-gates.ts";
import type { HoldWord, Pull, Repository } from "../store/model.ts";
import type { Closing } from "./answers/hold-progress.ts";

export interface CommandContext {
  readonly by: Actor;
  /** When it was given. */
  readonly at: number;
  /** As it was written, on one line; it may hold anything. */
  readonly argument: string;
  /** As things stood without this command. */
  readonly before: EvaluatedPull;
  /** As they stand with it. */
  readonly after: EvaluatedPull;
  readonly pull: Pull;
  readonly repository: Repository;
  readonly effects: Effects;
}

/** What commands do beside what follows from their being recorded, which the evaluation sees to. */
export interface Effects {
  /** Blocked moves and effects that were given up are tried again. */
  readonly retry: () => Promise<void>;
  /**
   * Resolves with null when a newer word on the repository is known. All its pull requests are evaluated again; those
   * whose gates are open, and are to be closed by it, come first.
   */
  readonly hold: (word: HoldWord) => Promise<readonly OpenGates[] | null>;
  /** What runs of this pull request wait for, where they wait for a person: a line of Markdown each. */
  readonly waits: () => Promise<readonly string[]>;
  /** Effects of this pull request that were given up. */
  readonly failed: () => Promise<number>;
}

/** `seen`: there was nothing to do but to say something. `text`: Markdown, escaped; null: nothing to say. */
export interface Done {
  readonly outcome: "done" | "seen";
  readonly text: string | null;
  /** Gates that are being closed: the answer says how many, and goes on saying it. */
  readonly closing?: Closing;
}

/** Carries out a command that was found to be allowed. May be called again after a crash. */
export type CommandHandler = (context: CommandContext) => Promise<Done>;

export const DONE: Done = { outcome: "done", text: null };
