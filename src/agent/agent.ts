/** An agent, put together: its directory, its processes, its masks and its loop. What entries start. */
import type { CoordinatorPort } from "../coordinator/protocol/port.ts";
import type { Plan } from "../plan/plan.ts";
import { ownCleanup } from "../run/stage/participants.ts";
import { type AttemptReport, type RunKey, type RunTerms, type Selection, termsOf } from "../run/types.ts";
import type { Surroundings } from "./attempt-options.ts";
import { runCleanup } from "./cleanup.ts";
import { Collector } from "./collect/collector.ts";
import type { AgentLog } from "./log.ts";
import { AgentLoop } from "./loop.ts";
import type { LoopEnd } from "./loop-end.ts";
import { machineFacts } from "./machine/machine-facts.ts";
import { Masks } from "./masking/masks.ts";
import { SecretVariables } from "./masking/secret-variables.ts";
import { AgentDirectory } from "./process/directory.ts";
import { SHUTDOWN_GRACE_MS } from "./process/ending.ts";
import { Processes } from "./process/process.ts";
import type { GroupView } from "./work.ts";

export interface AgentOptions {
  readonly plan: Plan;
  /** As annotations are to name it: relative to the repository's root. */
  readonly planFile: string;
  readonly key: RunKey;
  readonly name: string;
  readonly role: string | null;
  readonly index: number | null;
  /** host:port at which other agents reach this one. */
  readonly address: string | null;
  /** Where commands run unless their stage says otherwise: absolute. */
  readonly workingDirectory: string;
  /** The environment that commands inherit, before it is cleaned. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Names in it that commands must not get, beyond INPUT_*, STATE_*, ACTIONS_*, STAGEWRIGHT_*. */
  readonly ownSecrets: readonly string[];
  /** Where masks are kept, when whoever reports needs them, too. */
  readonly masks?: Masks;
  /** Names of variables whose values are masked, beyond those of the plan. */
  readonly secrets?: readonly string[];
  /** False: what commands print stays in the log. */
  readonly tellsOutput?: boolean;
  /** What starts the command line of this program (`stagewright` for commands): `[node, …, cli]`. */
  readonly commandLine: readonly string[];
  /** The run's folder for files that stages keep (`collect`): absolute; not there: nothing is kept. */
  readonly collectTo?: string;
  readonly log: AgentLog;
}

export interface Agent {
  /** From joining to the end. Afterwards nothing that it started runs any more. @throws what the coordinator refuses */
  run(): Promise<LoopEnd>;
  reset(why: string): void;
  /** `graceMs`: between TERM and KILL of what it runs. */
  leave(why: string, graceMs?: number): void;
  hurry(): void;
  kill(): void;
  /** Who this agent is in its group, and who else is there, as it was told last. */
  group(): GroupView;
}

/** Makes an agent of a group (solo: a group of one). @throws NoTemporaryFiles */
export function createAgent(
  options: AgentOptions &
    RunTerms & {
      readonly coordinator: CoordinatorPort;
      /** How long the coordinator may be silent before the work is stopped; default 90 s. Milliseconds. */
      readonly silenceMs?: number | null;
      /** See `JoinRequest`. */
      readonly resume?: boolean;
    },
): Agent {
  const { name, role, index, address } = options;
  const around = surroundings(options);
  const machine = machineFacts(options.environment);
  const again = options.resume === true ? { resume: true } : {};
  const join = { ...termsOf(options), agent: name, role, index, address, machine, ...again };
  const silence = options.silenceMs == null ? {} : { silenceMs: options.silenceMs };
  const loop = new AgentLoop({ join, coordinator: options.coordinator, around, ...silence });
  return {
    run: () => loop.run().finally(() => around.directory.remove()),
    reset: (why) => loop.reset(why),
    leave: (why, graceMs) => loop.leave(why, graceMs),
    hurry: () => loop.hurry(),
    kill: () => loop.kill(),
    group: () => loop.view,
  };
}

/**
 * Runs only this agent's own cleanup stages, on this machine alone: what a cancelled job's post step does. Ends what
 * still runs when the signal aborts. `leftOut`: see `ownCleanup`.
 */
export async function cleanUp(
  options: AgentOptions & {
    readonly selection: Pick<Selection, "skip">;
    readonly group: GroupView;
    readonly leftOut: boolean;
  },
  signal: AbortSignal,
): Promise<readonly AttemptReport[]> {
  const around = surroundings(options);
  const { plan, selection, group, leftOut } = options;
  const { member, roster } = group;
  try {
    const stages = ownCleanup(plan, selection, { agent: member.name, group: roster, leftOut });
    return await runCleanup(stages, around, group, signal);
  } finally {
    await around.processes.endAll(SHUTDOWN_GRACE_MS);
    around.directory.remove();
  }
}

function surroundings(options: AgentOptions): Surroundings {
  const { plan, planFile, key, log, workingDirectory, environment, ownSecrets } = options;
  const masks = options.masks ?? new Masks();
  const secrets = new SecretVariables([...(plan.secrets ?? []), ...(options.secrets ?? [])], masks, log);
  secrets.start(environment, plan);
  return {
    plan,
    planFile,
    run: [key.repositoryId, key.runId, key.attempt, key.group, key.plan].join("/"),
    workingDirectory,
    // Copied once: each look into process.env asks the system.
    inherited: { ...environment },
    ownSecrets,
    directory: new AgentDirectory(environment, options.commandLine),
    processes: new Processes((text) => log({ kind: "warning", stage: null, text }), { path: environment.PATH }),
    masks,
    secrets,
    said: new Set(),
    tellsOutput: options.tellsOutput ?? true,
    log,
    collector: options.collectTo === undefined ? null : new Collector(options.collectTo, options.name, log),
  };
}
