/** Who is known to come never, or never again: nobody waits for them, neither in the assembly nor until they are lost. */
import type { Draft } from "../draft.ts";
import type { AgentState } from "../state.ts";
import { type Absent, agentIdentity, jobIdentity, type RunEvent } from "../types.ts";
import { lose } from "./liveness.ts";

type Identified = Pick<AgentState, "name" | "checkRunId">;

/**
 * An agent of the group is lost at once, and what it said before does not bring it back; in the assembly there is one
 * fewer to wait for.
 */
export function noteAbsent(draft: Draft, absent: readonly Absent[]): void {
  const { head } = draft;
  const added = absent.filter(
    ({ id }, at) => !isIn(head.absent, id) && absent.findIndex((one) => one.id === id) === at,
  );
  if (added.length === 0) return;
  for (let slot = 0; slot < draft.agents.size; slot++) {
    const own = identitiesOf(draft.agent(slot));
    const gone = added.find(({ id }) => own.includes(id));
    if (gone !== undefined) lose(draft, slot, "left", `is gone for good: ${gone.why}`);
  }
  if (head.status !== "assembling") return;
  head.absent = [...head.absent, ...added];
  head.revision++;
}

/** It is there after all. */
export function noteReturn(draft: Draft, { agent: name, checkRunId }: Extract<RunEvent, { type: "joined" }>): void {
  const { head } = draft;
  if (head.absent.length === 0) return;
  const own = identitiesOf({ name, checkRunId });
  const kept = head.absent.filter(({ id }) => !own.includes(id));
  if (kept.length === head.absent.length) return;
  // Whoever joins is kept anyway.
  head.absent = kept;
}

function isIn(absent: readonly Absent[], id: string): boolean {
  return absent.some((known) => known.id === id);
}

function identitiesOf({ name, checkRunId }: Identified): readonly string[] {
  return checkRunId === null ? [agentIdentity(name)] : [agentIdentity(name), jobIdentity(checkRunId)];
}
