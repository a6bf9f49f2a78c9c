/** Whether two sets of facts lead to the same evaluation: they differ at most in what observed them, and when. */
import { hash } from "node:crypto";
import type { Act, Facts } from "../../src/lifecycle/facts/facts.ts";
import { stageOfLabel } from "../../src/lifecycle/presentation/display.ts";
import { canonicalJson } from "../../src/plan/canonical.ts";

/** Digests of acts, which are never changed: of those of one pull request most were there when it was last looked at. */
const actDigests = new WeakMap<object, string>();

export interface Meaning {
  /**
   * Our own bot's login: what it does to stage labels is what the app wanted, and no condition asks for them. Null: that
   * counts, too.
   */
  readonly botLogin: string | null;
}

export function meansTheSame(a: Facts, b: Facts, { botLogin }: Meaning = { botLogin: null }): boolean {
  return meaningOf(a, botLogin) === meaningOf(b, botLogin);
}

/** What an evaluation follows from, as a text to be compared: of acts it has digests, for there may be thousands. */
export function meaningOf(facts: Facts, botLogin: string | null): string {
  const { observed: _, heads: __, fileLists: ___, updatedAt: ____, suites = [], ...rest } = facts;
  // A list that shows what is known is no news: where it matters it was asked for.
  const unfinished = suites.flatMap((of) => of.suites.flatMap(({ id, finished }) => (finished ? [] : [id])));
  const { labels, acts } = rest;
  const foreign =
    botLogin === null
      ? { labels, acts }
      : {
          labels: labels.filter((name) => stageOfLabel(name) === null),
          acts: acts.filter((act) => !isOurs(act, botLogin)),
        };
  for (const act of foreign.acts) {
    if (!actDigests.has(act)) {
      actDigests.set(act, hash("sha256", canonicalJson(act), "base64url"));
    }
  }
  return canonicalJson({ ...rest, ...foreign, unfinished }, actDigests);
}

function isOurs(act: Act, botLogin: string): boolean {
  return (
    (act.kind === "labeled" || act.kind === "unlabeled") &&
    act.by.kind === "bot" &&
    act.by.login === botLogin &&
    stageOfLabel(act.label) !== null
  );
}
