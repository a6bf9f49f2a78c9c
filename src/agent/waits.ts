/** Explains waits: what for, for whom, since when, what they were last seen doing, until when. */
import { approversText } from "../plan/checkpoints.ts";
import type { Plan } from "../plan/plan.ts";
import type { Awaited, Instruction } from "../run/instruction.ts";

export type Wait = Extract<Instruction, { do: "wait" }>;

const NAMED = 8;

/** One sentence about a wait. `now` is on the coordinator's clock, like all times of the instruction. */
export function explainWait(wait: Wait, plan: Plan, now: number): string {
  const planned = wait.stage === null ? undefined : plan.stages[wait.stage];
  const stage = wait.stage === null ? null : (planned?.name ?? `stage ${wait.stage}`);
  const forWhom = wait.reason === "checkpoint" && planned !== undefined ? ` (${approversText(planned)})` : "";
  return waitText(`waiting ${reasonText(wait.reason, stage)}${forWhom}`, wait, now);
}

/** The same of any wait. `what`: what for, in words. */
export function waitText(what: string, wait: Pick<Wait, "since" | "who" | "more" | "until">, now: number): string {
  const parts = [`${what} for ${span(now - wait.since)} (since ${clock(wait.since)})`];
  if (wait.who.length > 0) {
    const named = wait.who.slice(0, NAMED).map((who) => awaitedText(who, now));
    const more = wait.who.length - named.length + (wait.more ?? 0);
    parts.push(`${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`);
  }
  parts.push(wait.until === null ? "no limit: a person decides" : `until ${clock(wait.until)}`);
  return parts.join("; ");
}

function reasonText(reason: Wait["reason"], stage: string | null): string {
  const of = stage === null ? "" : ` of ${stage}`;
  switch (reason) {
    case "assembly":
      return "until the group is complete";
    case "start":
      return `for the start${of}`;
    case "barrier":
      return `at the barrier${of}`;
    case "retry":
      return `before the next attempt${of}`;
    case "tasks":
      return `for tasks${of}`;
    case "not_my_stage":
      return stage === null ? "for others" : `while others run ${stage}`;
    case "ready":
      return stage === null ? "for a background command" : `until ${stage} is ready`;
    case "checkpoint":
      return stage === null ? "for a person" : `for a person at ${stage}`;
    default:
      return reason satisfies never;
  }
}

function awaitedText(who: Awaited, now: number): string {
  const seen = who.lastSeenAt === null ? "not seen yet" : `last seen ${span(now - who.lastSeenAt)} ago`;
  return `${who.agent} (${seen}${who.lastDoing === "" ? "" : `: ${who.lastDoing}`})`;
}

function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}
