/** Making the group: who may join, what indexes and roles they get, and who is missing when the time is over. */
import { formatDuration } from "../../plan/parsing/duration.ts";
import { limitsOf } from "../deadlines.ts";
import type { Draft } from "../draft.ts";
import { directoryOf, entered, itemAt, itemCount, itemsOf, lookUp, persistentArray } from "../persistent-array.ts";
import { beginResumed } from "../resume/resumption.ts";
import { stageInForceOf } from "../stage/failure-policy.ts";
import type { AgentState, RunState } from "../state.ts";
import { isOver, isThere } from "../transitions.ts";
import type { RunEvent } from "../types.ts";
import { failRun } from "./abort.ts";

export type JoinEvent = Extract<RunEvent, { type: "joined" }>;
export type Admission =
  | { readonly ok: true }
  /** `held`: somebody else has it now; `invalid`: this group has no such place; `ended`: the run is over. */
  | { readonly ok: false; readonly code: "held" | "invalid" | "ended"; readonly reason: string };

/**
 * Whether an agent may join as it says. An identity is taken over only when its old session has been silent for
 * `warn_after`, has left, or belongs to the same check run (the same job). A job has one place in its group.
 */
export function admit(state: RunState, event: JoinEvent): Admission {
  if (isOver(state.status)) return { ok: false, code: "ended", reason: `this run is over (${state.status})` };
  const slot = lookUp(state.names, event.agent);
  const known = slot === undefined ? undefined : itemAt(state.agents, slot);
  const twice = admitJob(state, event);
  if (twice !== null) return twice;
  if (known !== undefined) return admitAgain(state, event, known);
  const held = state.roster === null ? state.living : itemCount(state.agents);
  if (held >= state.agentCount) {
    const names = listed(othersOf(state).map(({ name }) => name));
    const reason = `this group has its ${state.agentCount} agents (${names}), ${event.agent} is none of them`;
    return { ok: false, code: "invalid", reason };
  }
  return admitRole(state, event) ?? admitIndex(state, event) ?? { ok: true };
}

/** Those who hold a place: before the group is assembled only who is there. */
function othersOf(state: RunState): readonly AgentState[] {
  return [...itemsOf(state.agents)].filter((agent) => state.roster !== null || isThere(agent));
}

function admitAgain(state: RunState, event: JoinEvent, known: AgentState): Admission {
  if (known.session === event.session || !isThere(known)) return { ok: true };
  if (event.checkRunId !== null && event.checkRunId === known.checkRunId) return { ok: true };
  const { warnAfterMs } = limitsOf(state.plan, stageInForceOf(state));
  const silence = event.at - known.silentSince;
  if (silence >= warnAfterMs) return { ok: true };
  const seen = new Date(known.lastSeenAt).toISOString();
  const where = known.address === null ? "" : ` at ${known.address}`;
  const reason =
    `${known.name} is held by another session${where}, last seen ${seen} (${known.doing}); it can be taken over ` +
    `when that has been silent for ${formatDuration(warnAfterMs)}`;
  return { ok: false, code: "held", reason };
}

/** Where tokens name the job (`check_run_id`), one job cannot be counted twice: not by new names, nor by others'. */
function admitJob(state: RunState, { agent, checkRunId }: JoinEvent): Admission | null {
  if (checkRunId === null) return null;
  // Chunk by chunk, without lists of its own: ten thousand agents ask this of ten thousand.
  for (const chunk of state.agents) {
    for (const other of chunk) {
      if (other.checkRunId !== checkRunId || other.name === agent) continue;
      // Before the roster is fixed, who has left has no place any more; who is silent or lost may be back.
      if (state.roster === null && other.session === null) continue;
      const reason = `the job of ${agent} has its place in this group already, as ${other.name}: one job is one agent`;
      return { ok: false, code: "held", reason };
    }
  }
  return null;
}

function admitRole(state: RunState, event: JoinEvent): Admission | null {
  const { roles } = state.plan;
  if (event.role === null || Object.keys(roles).length === 0) return null;
  if (!Object.hasOwn(roles, event.role)) {
    const reason = `unknown role ${event.role}, the plan has ${Object.keys(roles).join(", ")}`;
    return { ok: false, code: "invalid", reason };
  }
  const holders = othersOf(state).filter(({ role }) => role === event.role);
  if (holders.length < (roles[event.role] ?? 0)) return null;
  const names = listed(holders.map(({ name }) => name));
  return { ok: false, code: "held", reason: `the role ${event.role} is taken by ${names}` };
}

/** With roles, agents of several jobs meet, each with a matrix of its own: indexes are given at assembly instead. */
function admitIndex(state: RunState, event: JoinEvent): Admission | null {
  if (event.index === null || event.role !== null || Object.keys(state.plan.roles).length > 0) return null;
  if (event.index >= state.agentCount) {
    const reason = `index ${event.index} is not within a group of ${state.agentCount} agents`;
    return { ok: false, code: "invalid", reason };
  }
  const holder = holderOf(state, event.index);
  if (holder === null || holder.role !== null) return null;
  const hint = "give each agent an index of its own, or roles";
  return { ok: false, code: "held", reason: `index ${event.index} is ${holder.name}'s: ${hint}` };
}

function holderOf(state: RunState, index: number): AgentState | null {
  if (state.roster !== null) return othersOf(state).find((agent) => agent.index === index) ?? null;
  const slot = lookUp(state.indexes, String(index));
  const agent = slot === undefined ? undefined : itemAt(state.agents, slot);
  return agent !== undefined && isThere(agent) ? agent : null;
}

/** Takes in an agent that `admit` allows and that was not there before. */
export function addAgent(draft: Draft, event: JoinEvent): number {
  const { at, agent: name, role, index, address, checkRunId, session, machine } = event;
  const assembled = draft.head.roster !== null;
  const slot = draft.agents.push({
    name,
    role,
    roleIndex: 0,
    index: index ?? 0,
    ownIndex: index,
    address,
    checkRunId,
    ...(machine === undefined ? {} : { machine }),
    session,
    sequence: 0,
    resetSequence: 0,
    joinedAt: at,
    lastSeenAt: at,
    silentSince: at,
    doing: "joining",
    presence: "here",
    // Once the group is under way, a newcomer comes to it as one who was away.
    membership: assembled ? "away" : "member",
    why: assembled ? "joins late" : null,
    excludedAt: null,
    assignment: null,
    backgrounds: [],
    lasts: [],
    rejected: null,
  });
  draft.head.names = entered(draft.head.names, name, slot);
  if (index !== null) draft.head.indexes = entered(draft.head.indexes, String(index), slot);
  if (!assembled) draft.head.living++;
  else addLate(draft, slot);
  draft.head.revision++;
  return slot;
}

function addLate(draft: Draft, slot: number): void {
  const agent = draft.agent(slot);
  const others = [...draft.agents].slice(0, slot);
  const taken = new Set(others.map(({ index }) => index));
  let index = agent.ownIndex !== null && !taken.has(agent.ownIndex) ? agent.ownIndex : 0;
  while (taken.has(index)) index++;
  const role = agent.role ?? freeRoles(draft, others)[0] ?? null;
  const roleIndex = others.filter((other) => other.role === role).length;
  draft.editAgent(slot, { index, role, roleIndex });
  draft.head.roster = { agents: [...(draft.head.roster?.agents ?? []), memberOf(draft.agent(slot))] };
  draft.notice(`${agent.name} joins late, as agent ${index}`);
}

/** Roles that the plan asks for and that nobody of these has, in the plan's order. */
function freeRoles(draft: Draft, agents: readonly AgentState[]): string[] {
  return Object.entries(draft.plan.roles).flatMap(([role, wanted]) => {
    const held = agents.filter((agent) => agent.role === role).length;
    return Array.from({ length: Math.max(0, wanted - held) }, () => role);
  });
}

/** Starts the run when everyone is there who can be, or when the time is over and enough are. @returns whether it did something */
export function assemble(draft: Draft): boolean {
  const { head, now } = draft;
  if (head.living >= head.agentCount) {
    start(draft);
    return true;
  }
  const { atLeast, timeoutMs } = draft.plan.assembly;
  const coming = head.agentCount - head.absent.length;
  const why = head.absent.map((absent) => absent.why);
  if (coming < (atLeast ?? head.agentCount)) {
    const reason = `only ${Math.max(0, coming)} of ${head.agentCount} agents can be there: ${listed(why)}`;
    failRun(draft, { kind: "failed", stage: null, reason });
    return true;
  }
  const isOver = now >= head.assemblyUntil;
  if (!isOver && head.living < coming) return false;
  if (atLeast !== null && head.living >= atLeast) {
    const who = isOver ? `missing: ${missing(draft)}` : listed(why);
    draft.notice(`the group starts with ${head.living} of ${head.agentCount} agents, ${who}`);
    start(draft);
    return true;
  }
  if (!isOver) return false;
  const reason = `only ${head.living} of ${head.agentCount} agents joined within ${formatDuration(timeoutMs)}, missing: ${missing(draft)}`;
  failRun(draft, { kind: "failed", stage: null, reason });
  return true;
}

/** The roster is fixed: from now on positions follow indexes. */
function start(draft: Draft): void {
  const { head, now } = draft;
  const there = [...draft.agents].filter(isThere);
  const agents = placed(draft, there).map((agent): AgentState => ({ ...agent, doing: "idle" }));
  head.dropped = [...draft.agents].filter((agent) => agent.presence === "lost");
  draft.replaceAgents(persistentArray(agents));
  head.names = directoryOf(agents.map(({ name }) => name));
  head.roster = { agents: agents.map(memberOf) };
  head.living = agents.length;
  head.assembledAt = now;
  draft.setRunStatus("running");
  beginResumed(draft);
}

function memberOf({ name, index, role, roleIndex, address }: AgentState) {
  return { name, index, role, roleIndex, address };
}

/** Roles and indexes for all: those said are kept where they are distinct, the others go by role, then name. */
function placed(draft: Draft, there: readonly AgentState[]): readonly AgentState[] {
  const byName = there.toSorted((a, b) => (a.ownIndex ?? 0) - (b.ownIndex ?? 0) || compareNames(a.name, b.name));
  const free = freeRoles(draft, there);
  const inRoles = byName.map((agent) => ({ ...agent, role: agent.role ?? free.shift() ?? null }));
  const said = inRoles.map(({ ownIndex }) => ownIndex).filter((index) => index !== null);
  const isDistinct = new Set(said).size === said.length && said.every((index) => index < draft.head.agentCount);
  // With roles, agents of several jobs meet, each counted within its own: nothing to speak of.
  if (!isDistinct && Object.keys(draft.plan.roles).length === 0)
    draft.notice("the agents' own indexes are not distinct: they are given by role, then name");
  const taken = new Set(isDistinct ? said : []);
  let next = 0;
  const sorted = inRoles.toSorted((a, b) => compareNames(a.role ?? "", b.role ?? "") || compareNames(a.name, b.name));
  const indexed = sorted.map((agent) => {
    if (isDistinct && agent.ownIndex !== null) return { ...agent, index: agent.ownIndex };
    while (taken.has(next)) next++;
    return { ...agent, index: next++ };
  });
  const roleIndexes = new Map<string | null, number>();
  return indexed
    .toSorted((a, b) => a.index - b.index)
    .map((agent) => {
      const roleIndex = roleIndexes.get(agent.role) ?? 0;
      roleIndexes.set(agent.role, roleIndex + 1);
      return { ...agent, roleIndex };
    });
}

/** Names with numbers in them in the order of the numbers: node-2 before node-10. */
export function compareNames(a: string, b: string): number {
  const left = a.split(/(\d+)/);
  const right = b.split(/(\d+)/);
  for (let part = 0; part < Math.max(left.length, right.length); part++) {
    const [one = "", other = ""] = [left[part], right[part]];
    if (one === other) continue;
    const byNumber = part % 2 === 1 ? Number(one) - Number(other) : 0;
    return byNumber !== 0 ? byNumber : one < other ? -1 : 1;
  }
  return 0;
}

/** Who is missing, as exactly as can be known before they came. */
function missing(draft: Draft): string {
  return listed(missingAgents(draft.plan, draft.head.agentCount, [...draft.agents]));
}

/** The same as names: from the plan's list, the roles, or the indexes of those that are there. */
export function missingAgents(
  plan: Pick<RunState["plan"], "agents" | "roles">,
  agentCount: number,
  agents: readonly AgentState[],
): readonly string[] {
  const there = agents.filter(isThere);
  const gone = agents.filter((agent) => !isThere(agent)).map(({ name }) => name);
  const count = agentCount - there.length;
  const named = plan.agents.map(({ id }) => id);
  if (named.length === agentCount && there.every(({ name }) => named.includes(name))) {
    return named.filter((id) => !there.some(({ name }) => name === id));
  }
  const wanted = Object.entries(plan.roles).flatMap(([role, size]) => {
    const less = size - there.filter((agent) => agent.role === role).length;
    return less > 0 ? [`${less} of role ${role}`] : [];
  });
  if (wanted.length > 0 && there.every(({ role }) => role !== null)) return wanted;
  if (there.length > 0 && there.every(({ ownIndex }) => ownIndex !== null)) {
    const [first] = there;
    const stem = first?.name.endsWith(`-${first.ownIndex}`)
      ? first.name.slice(0, -String(first.ownIndex).length)
      : null;
    const isRegular = stem !== null && there.every(({ name, ownIndex }) => name === `${stem}${ownIndex}`);
    const indexes = new Set(there.map(({ ownIndex }) => ownIndex));
    return Array.from({ length: agentCount }, (_, index) => index)
      .filter((index) => !indexes.has(index))
      .map((index) => (isRegular ? `${stem}${index}` : `the agent with index ${index}`));
  }
  return gone.length === count ? gone : [`${count} agent${count === 1 ? "" : "s"}`];
}

function listed(names: readonly string[]): string {
  const named = names.slice(0, 20);
  return named.join(", ") + (names.length > named.length ? ` and ${names.length - named.length} more` : "");
}
