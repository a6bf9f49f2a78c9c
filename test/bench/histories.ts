/** Histories of pull requests of any length, each of one kind. */
import type { ActWithoutId } from "../../src/lifecycle/facts/change.ts";
import {
  bob,
  cleo,
  comment,
  dismissed,
  labeled,
  lead,
  outsider,
  pushed,
  ran,
  review,
  rex,
  tess,
  unlabeled,
} from "../lifecycle/builders.ts";

/** So many acts. */
export type Story = (acts: number) => ActWithoutId[];

function repeated(round: (n: number) => ActWithoutId[]): Story {
  return (acts) =>
    Array.from({ length: acts }, (_, n) => round(n + 1))
      .flat()
      .slice(0, acts);
}

const HEAD = "aaaaaaa1";
const headOf = (n: number): string => (n === 0 ? HEAD : `head${n}`);

export const STORIES: Readonly<Record<string, Story>> = {
  "runs that fail": repeated((n) => [ran(n, "qa.yml", n % 3 === 0 ? "success" : "failure", HEAD, n)]),
  "runs that succeed": repeated((n) => [ran(n, "qa.yml", "success", HEAD, n)]),
  "runs of another workflow": repeated((n) => [ran(n, "other.yml", "success", HEAD, n)]),
  reviews: repeated((n) => [
    review(n, n % 2 === 0 ? tess : bob, n % 3 === 0 ? "changes_requested" : "approved", HEAD, n),
  ]),
  dismissals: repeated((n) => [review(2 * n, bob, "approved", HEAD, n), dismissed(2 * n + 1, tess, n)]),
  labels: repeated((n) => [labeled(2 * n, "ready-for-qa", cleo), unlabeled(2 * n + 1, "ready-for-qa", cleo)]),
  rounds: repeated((n) => [
    labeled(4 * n, "ready-for-qa", cleo),
    ran(4 * n + 1, "qa.yml", "failure", HEAD, n),
    unlabeled(4 * n + 2, "ready-for-qa", cleo),
  ]),
  commands: repeated((n) => [comment(2 * n, lead, "to", "ready-for-qa"), comment(2 * n + 1, lead, "back")]),
  pushes: repeated((n) => [pushed(n, headOf(n - 1), headOf(n), rex)]),
  talk: repeated((n) => [comment(n, outsider, "lgtm")]),
  "all of it": repeated((n) => [
    labeled(8 * n, "ready-for-qa", cleo),
    ran(8 * n + 1, "qa.yml", "failure", headOf(n - 1), n),
    review(8 * n + 2, tess, "changes_requested", headOf(n - 1), n),
    comment(8 * n + 3, outsider, "lgtm"),
    unlabeled(8 * n + 4, "ready-for-qa", cleo),
    pushed(8 * n + 5, headOf(n - 1), headOf(n), rex),
    comment(8 * n + 6, lead, "back"),
  ]),
};
