/** The environment that a plan's commands see: what a `run:` step would have, less what is ours, plus our words. */
import { hostOf } from "../../plan/parsing/address.ts";
import type { Json, Plan, PlanStage, Scalar } from "../../plan/plan.ts";
import { roundOf } from "../../run/stage/attempt-id.ts";
import type { Deficiency } from "../../run/types.ts";

/**
 * Inputs, state and runner credentials of the step that runs us, and our own settings: none of a command's business.
 * Nor is GITHUB_STATE, which only our post step reads. The other files of a step (GITHUB_OUTPUT, GITHUB_ENV,
 * GITHUB_PATH, GITHUB_STEP_SUMMARY) speak to the later steps of the job, as those of a `run:` step do.
 */
const WITHHELD = /^(INPUT_|STATE_|ACTIONS_|STAGEWRIGHT_|GITHUB_STATE$)/i;
/** Linux refuses an environment entry of more than 128 KiB; larger outputs are in the context file. */
const LONGEST_VALUE = 65_536;
/** Characters of all outputs together: Linux starts nothing whose arguments and environment exceed 2 MiB as a rule. */
const MOST_OUTPUTS = 524_288;
/** Where the shell and its tools are found on a machine that does not say so. */
const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

export interface RosterMember {
  readonly name: string;
  readonly index: number;
  readonly role: string | null;
  readonly roleIndex: number;
  readonly address: string | null;
}

export interface EnvironmentOptions {
  /** What this process was given. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** Names of variables that this process holds for itself, so that commands do not get them. */
  readonly ownSecrets: readonly string[];
  /** A directory with a `stagewright` that works, put first on PATH. */
  readonly bin: string;
  readonly plan: Plan;
  readonly stage: PlanStage;
  readonly run: string;
  readonly attempt: string;
  readonly member: RosterMember;
  readonly roster: readonly RosterMember[];
  /** Half-open share of the stage's objects; null where there is none. */
  readonly partition: { readonly start: number; readonly end: number } | null;
  /** Outputs of earlier stages: stage -> key -> value. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly files: { readonly events: string; readonly context: string; readonly hostfile: string };
  readonly task: { readonly value: Json } | null;
  /** What a quorum found wanting in the round before; null: none has sent the group back. */
  readonly deficiencies?: readonly Deficiency[] | null;
}

export interface CommandEnvironment {
  readonly variables: Record<string, string>;
  /** Stages whose outputs are not all in the variables, for want of room: the context file has them. */
  readonly leftOut: readonly string[];
  /** Outputs that are in no variable, each in a sentence: too long, or of a variable that another one has. */
  readonly remarks: readonly string[];
}

/** Whether commands are kept from a variable that this process was given. */
export function isWithheld(name: string): boolean {
  return WITHHELD.test(name);
}

/** All variables of one attempt. The plan's `env`, then the agent's, then the stage's; our own words win over all. */
export function commandEnvironment(options: EnvironmentOptions): CommandEnvironment {
  const { plan, stage, member } = options;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.inherited)) {
    if (value !== undefined && !isWithheld(name) && !options.ownSecrets.includes(name)) env[name] = value;
  }
  const planned = plan.agents.find((agent) => agent.id === member.name) ?? plan.agents[member.index];
  Object.assign(env, plan.env, planned?.env ?? {}, stage.env);
  env.PATH = `${options.bin}:${env.PATH === undefined || env.PATH === "" ? DEFAULT_PATH : env.PATH}`;

  const ours: Record<string, Scalar | null> = {
    AGENT_INDEX: member.index,
    AGENT_COUNT: options.roster.length,
    AGENT_NAME: member.name,
    ROLE: member.role,
    ROLE_INDEX: member.role === null ? null : member.roleIndex,
    RUN: options.run,
    STAGE: stage.name,
    ATTEMPT: options.attempt,
    ROUND: roundOf(options.attempt),
    DEFICIENCIES: options.deficiencies == null ? null : JSON.stringify(options.deficiencies),
    PARTITION_START: options.partition?.start ?? null,
    PARTITION_END: options.partition?.end ?? null,
    EVENTS: options.files.events,
    CONTEXT: options.files.context,
    INPUT: options.inherited.STAGEWRIGHT_INPUT ?? null,
    HOSTFILE: options.files.hostfile,
    TASK: options.task === null ? null : JSON.stringify(options.task.value),
  };
  for (const [name, value] of Object.entries(plan.params)) ours[`PARAM_${variable(name)}`] = value;
  for (const other of options.roster) {
    if (other.role === null || other.address === null) continue;
    ours[`ADDRESS_${variable(other.role)}_${other.roleIndex}`] = other.address;
    if (other.roleIndex === 0) ours[`ADDRESS_${variable(other.role)}`] = other.address;
  }
  const leftOut = new Set<string>();
  const remarks: string[] = [];
  /** Variable -> the output that it has. */
  const sources = new Map<string, string>();
  let room = MOST_OUTPUTS;
  // The newest first: what is left out was said longest ago.
  for (const [stageName, values] of Object.entries(options.outputs).reverse()) {
    for (const [key, value] of Object.entries(values).reverse()) {
      if (!isScalar(value)) continue;
      if (String(value).length > LONGEST_VALUE) {
        remarks.push(`output ${stageName}.${key} is too long for a variable: it is in $STAGEWRIGHT_CONTEXT alone`);
        continue;
      }
      const name = `OUTPUT_${variable(stageName)}_${variable(key)}`;
      const same = sources.get(name);
      if (same !== undefined) {
        const both = `outputs ${same} and ${stageName}.${key} have one variable, STAGEWRIGHT_${name}`;
        remarks.push(`${both}: it has the first, both are in $STAGEWRIGHT_CONTEXT`);
      }
      const length = name.length + String(value).length;
      if (length > room) leftOut.add(stageName);
      else {
        room -= length;
        sources.set(name, same ?? `${stageName}.${key}`);
        // Two names may come to one variable: then the newer one holds.
        ours[name] ??= value;
      }
    }
  }
  for (const [name, value] of Object.entries(ours)) {
    if (value === null) continue;
    const text = String(value);
    // A NUL cannot be passed at all, and would keep the command from starting.
    if (text.length <= LONGEST_VALUE && !text.includes("\0")) env[`STAGEWRIGHT_${name}`] = text;
  }
  return { variables: env, leftOut: [...leftOut], remarks };
}

/** A name as a part of a variable's name: upper case, everything else an underscore ("epoch-1" -> "EPOCH_1"). */
export function variable(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, "_");
}

/** One host a line, by index, as MPI and its like read it; members without an address are left out. */
export function hostfile(roster: readonly RosterMember[]): string {
  return roster
    .toSorted((a, b) => a.index - b.index)
    .flatMap(({ address }) => hostOf(address ?? "") ?? [])
    .map((host) => `${host}\n`)
    .join("");
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
