/** Runs that wait for a person: which of them belong to a pull request, and what becomes of what people decide. */
import type { GroupRun } from "../../src/coordinator/hosting/group-run.ts";
import type { Runs } from "../../src/coordinator/hosting/runs.ts";
import { restoreRun } from "../../src/coordinator/hosting/snapshot.ts";
import { Refusal } from "../../src/coordinator/protocol/refusal.ts";
import { Elsewhere } from "../../src/coordinator/replicas/owners.ts";
import type { RunName } from "../../src/lifecycle/run-commands.ts";
import {
  type AskedApproval,
  askedApproval,
  decisionEvent,
  decisionsOf,
  type PersonDecision,
  type RunDecisions,
} from "../../src/run/checkpoints/decisions.ts";
import type { RunState } from "../../src/run/machine.ts";
import type { AppRunStore, PullId } from "../store/model.ts";
import type { RunChecks } from "./checks.ts";
import { type RunNote, runNote } from "./note.ts";

/** A run as people decide about it. */
export interface DecidableRun extends RunName {
  readonly repositoryId: number;
  /** Of its check run; null: it has none. */
  readonly url: string | null;
  /** Null: it waits for nobody now. */
  readonly asked: AskedApproval | null;
  readonly decided: RunDecisions;
}

/** What is told to a run: a decision of somebody who may decide, or that somebody may not, for its check run to say. */
export type SaidToRun = PersonDecision | { readonly verb: "refused"; readonly text: string };

export interface RunApprovals {
  /** The runs of a pull request that are not over. */
  ofPull(pull: PullId & { readonly headSha: string }): Promise<readonly DecidableRun[]>;
  /** Null: there is no such run. */
  find(run: string): Promise<DecidableRun | null>;
  /**
   * Resolves when it is kept. What was decided before changes nothing. Everything that people say to a run goes through
   * here. @returns why it counts for nothing; null: it counts
   */
  act(run: string, act: SaidToRun): Promise<string | null>;
}

export interface RunApprovalsOptions {
  readonly store: Pick<AppRunStore, "open" | "note" | "load">;
  readonly runs: Pick<Runs, "find">;
  /** Has a run hear it that another replica coordinates. */
  readonly elsewhere: (at: Elsewhere, act: SaidToRun) => Promise<string | null>;
  readonly checks: Pick<RunChecks, "tell">;
}

export function runApprovals({ store, runs, checks, elsewhere }: RunApprovalsOptions): RunApprovals {
  const find = async (id: string): Promise<DecidableRun | null> => {
    const run = await hosted(runs, id);
    if (run === null) return null;
    const state = run instanceof Elsewhere ? await stored(store, id) : run.host.state;
    if (state === null) return null;
    const note = runNote.safeParse(await store.note(id));
    return decidable(id, state, note.data?.url ?? null);
  };
  return {
    find,
    async ofPull({ repositoryId, number, headSha }) {
      const found: DecidableRun[] = [];
      for (const { id, note } of await store.open()) {
        const read = runNote.safeParse(note);
        if (!read.success || !isOf(read.data, number, headSha)) continue;
        const run = await find(id);
        if (run?.repositoryId === repositoryId) found.push(run);
      }
      return found;
    },
    async act(id, act) {
      const run = await hosted(runs, id);
      if (run === null) return "the run is not known any more";
      if (run instanceof Elsewhere) return await elsewhere(run, act);
      if (act.verb === "refused") {
        checks.tell(run, act.text);
        return null;
      }
      const event = decisionEvent(run.host.state, act, run.host.now);
      if ("refused" in event) return event.refused;
      run.host.commit({ event });
      await run.host.saved();
      return null;
    },
  };
}

function isOf({ headSha, pulls }: RunNote, number: number, head: string): boolean {
  return pulls.includes(number) || headSha === head;
}

/** As it was when something of it was last kept. */
async function stored(store: Pick<AppRunStore, "load">, id: string): Promise<RunState | null> {
  const found = await store.load(id);
  return found === null ? null : restoreRun(found).state;
}

/** Null: there is none, or it cannot be gone on with. */
async function hosted(runs: Pick<Runs, "find">, id: string): Promise<GroupRun | Elsewhere | null> {
  try {
    return await runs.find(id);
  } catch (error) {
    if (error instanceof Elsewhere) return error;
    if (error instanceof Refusal && error.code === "ended") return null;
    throw error;
  }
}

function decidable(id: string, state: RunState, url: string | null): DecidableRun {
  const { plan, group, repositoryId } = state.key;
  const about = { id, plan, group, repositoryId: Number(repositoryId), url };
  return { ...about, asked: askedApproval(state), decided: decisionsOf(state) };
}
