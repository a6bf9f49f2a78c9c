/** What a run goes on from whose coordinator keeps the attempts before it. */
import { planPrint } from "../../plan/canonical.ts";
import { missingResults } from "../../plan/select.ts";
import type { Carried } from "../../run/resume/carried.ts";
import { savedRunRefusal } from "../../run/resume/read-saved-run.ts";
import { carriedOf, savedRun } from "../../run/resume/saved-run.ts";
import type { RunSpec } from "../../run/types.ts";
import { Refusal } from "../protocol/refusal.ts";
import { runIdOf } from "../protocol/run-id.ts";
import { type RunStore, UnreadableRun } from "./run-store.ts";
import { restoreRun } from "./snapshot.ts";

/** Attempts that ended before they began a run are passed over, so many at most. */
const MOST_LOOKED_AT = 20;
/** Agents mask what they tell. */
const UNMASKED = { text: (text: string): string => text, json: <T>(value: T): T => value };

/**
 * The state of the newest attempt before this one that had a run; or why there is none. The first attempt has nothing
 * to go on from, and that is not worth a word.
 * @throws Refusal what is selected needs results that are not there
 */
export async function carriedFromBefore(store: RunStore, spec: RunSpec): Promise<Carried | undefined> {
  const { key, plan, selection } = spec;
  const found = key.attempt === 1 ? undefined : await newestBefore(store, spec);
  const missing = missingResults(plan, selection, found?.succeeded ?? []);
  if (missing.length > 0) throw new Refusal("invalid", missing.join("; "));
  return found;
}

async function newestBefore(store: RunStore, { key, plan, agentCount }: RunSpec): Promise<Carried> {
  const least = Math.max(1, key.attempt - MOST_LOOKED_AT);
  for (let attempt = key.attempt - 1; attempt >= least; attempt -= 1) {
    try {
      const stored = await store.load(runIdOf({ ...key, attempt }));
      if (stored === null) continue;
      const { state } = restoreRun(stored);
      const saved = savedRun(state, planPrint(state.plan), state.now, UNMASKED);
      const refusal = savedRunRefusal(saved, { plan, print: planPrint(plan), agentCount });
      return refusal === null ? carriedOf(saved) : anew(`what attempt ${attempt} left ${refusal}`);
    } catch (error) {
      if (error instanceof UnreadableRun) return anew(`attempt ${attempt} cannot be read: ${error.message}`);
      throw error;
    }
  }
  return anew("no attempt before this one left a state here");
}

function anew(why: string): Carried {
  return { succeeded: [], outputs: {}, anew: why };
}
