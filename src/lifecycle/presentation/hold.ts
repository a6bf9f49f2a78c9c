/** A hold in words: who holds what, since when and why, and how it is ended. */
import { oneLine } from "../../report/escape.ts";
import type { Hold } from "../evaluation/evaluation.ts";

/** Plain text, one line, without a full stop. `whose`: of another pull request than the reader's (`#7 is`). */
export function sayHold({ why, at, by, reason }: Hold, whose: string | null = null): string {
  const what =
    why === "repository" ? "The whole repository is on hold" : whose === null ? "On hold" : `${whose} on hold`;
  return oneLine(`${what} by ${by?.login ?? "the policy"} since ${sayDate(at)}: ${reason || "no reason given"}`);
}

/** The command that ends it. */
export function unholdOf({ why }: Hold): string {
  return why === "repository" ? "/stage unhold --repository" : "/stage unhold";
}

/** The earlier hold lets a pull request less far. */
export function earlierHold(a: Hold | null, b: Hold | null): Hold | null {
  return a === null || (b !== null && b.at < a.at) ? b : a;
}

/** To the minute. `at`: milliseconds since the epoch. */
export function sayDate(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
