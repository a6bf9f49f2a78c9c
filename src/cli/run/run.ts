/** `stagewright run PLAN`: a plan on this machine, by one agent in this process or by a group (`group.ts`). */
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { type Agent, createAgent } from "../../agent/agent.ts";
import type { LoopEnd } from "../../agent/loop-end.ts";
import { Masks } from "../../agent/masking/masks.ts";
import { unseenWarning } from "../../agent/process/process-groups.ts";
import { beginRun, InProcessCoordinator } from "../../coordinator/client/in-process.ts";
import { PRINTABLE } from "../../plan/parsing/names.ts";
import type { Position } from "../../plan/parsing/problems.ts";
import type { Json, Plan } from "../../plan/plan.ts";
import { isSelected, select } from "../../plan/select.ts";
import { platformRefusal } from "../../platform.ts";
import { unguessable } from "../../random.ts";
import { maskedSummary } from "../../report/masked.ts";
import { CollectedParts, collectedPart } from "../../report/record/collected.ts";
import type { Carried } from "../../run/resume/carried.ts";
import type { RunKey, Selection } from "../../run/types.ts";
import { EXIT, type ExitCode, UsageError } from "../exit.ts";
import { loadPlan } from "../files.ts";
import { userName } from "./checkpoint.ts";
import { collectFolder, refuseUsedFolder } from "./collect.ts";
import { ConsoleLog, maskedScreen, screenOf } from "./console.ts";
import { dryRun } from "./dry-run.ts";
import { giveInput, readInput, STANDARD_INPUT } from "./input.ts";
import { tellOutcome } from "./outcome.ts";
import { Signals } from "./signals.ts";
import { attendantOf, loadState, reusedHere, type StateOptions, savedBy, stateFiles } from "./state.ts";
import type { RunTask } from "./task.ts";

export interface RunOptions extends StateOptions {
  readonly param?: Readonly<Record<string, string>>;
  readonly onlyStage?: readonly string[];
  readonly stopAfterStage?: string;
  readonly skipStages?: readonly string[];
  readonly onlyPhase?: readonly string[];
  readonly stopAfterPhase?: string;
  readonly skipPhases?: readonly string[];
  readonly outputFile?: string;
  readonly collectTo?: string;
  readonly inputFile?: string;
  readonly enableContext?: boolean;
  readonly enableQuorum?: boolean;
  readonly agentName?: string;
  readonly agents?: number;
  readonly interactive?: boolean;
  readonly dryRun?: boolean;
}

/** What the names of agents begin with that the plan does not name. */
const DEFAULT_AGENT = "local";

/** `env`: this process's own. @returns the exit code. @throws UsageError before anything has run */
export async function run(file: string, options: RunOptions, env: NodeJS.ProcessEnv): Promise<ExitCode> {
  const refusal = platformRefusal(process.platform);
  if (refusal !== null && options.dryRun !== true) throw new UsageError(`run: ${refusal}`);
  if (options.interactive === true) checkAttended(options);
  const { plan, keys } = loadPlan(file, options.param ?? {}, (line) => process.stderr.write(`${line}\n`));
  const files = stateFiles(plan, file, options);
  const agents = agentCountOf(plan, options, file, keys);
  const given = options.inputFile === undefined ? null : readInput(options.inputFile);
  const loaded = files.load === null ? null : loadState(files.load, plan, agents, given);
  const carried = loaded?.carried ?? null;
  const text = loaded === null ? given : loaded.input;
  const selection = selectionOf(plan, options, carried);
  const names = agentNames(plan, agents, options.agentName);
  const reused = reusedHere(plan, selection, carried, names, env);
  const began = new Date().toISOString().replaceAll(":", "-");
  const collectTo = collectFolder(plan, options.collectTo, `${plan.name} ${began}`);
  if (options.dryRun === true) {
    process.stdout.write(`${dryRun(plan, selection, reused, carried).join("\n")}\n`);
    return EXIT.success;
  }
  checkBefore(plan, selection, reused, options, file);
  const unseen = unseenWarning();
  if (unseen !== null) process.stderr.write(`warning: ${unseen}\n`);
  refuseUsedFolder(options.collectTo);
  if (files.anew !== null) process.stderr.write(`${files.anew}\n`);
  const { outputFile } = options;
  const stages = plan.stages.filter(({ index }) => isSelected(selection, index) && !reused.includes(index));
  const input: Json = text === null ? null : JSON.parse(text);
  const interactive = options.interactive === true;
  const places = { saveTo: files.save, collectTo, outputFile };
  const task: RunTask = { file, plan, selection, carried, names, stages, interactive, ...places, input, env };
  const written = giveInput(text, env);
  try {
    if (agents === 1) return await carryOut(task);
    const { runGroup } = await import("./group.ts");
    return await runGroup(task);
  } finally {
    written?.remove();
  }
}

/** `--agents`, else what the plan says, else one. @throws UsageError when the two contradict each other */
function agentCountOf(
  plan: Plan,
  { agents }: RunOptions,
  file: string,
  keys: Readonly<Record<string, Position>>,
): number {
  if (plan.agentCount === null || agents === undefined || agents === plan.agentCount) {
    return agents ?? plan.agentCount ?? 1;
  }
  const { line, column } = keys.agents ?? keys.roles ?? { line: 1, column: 1 };
  throw new UsageError(
    `--agents ${agents}: ${file}:${line}:${column} says ${plan.agentCount}, expected the same or nothing`,
  );
}

/** Of a group whatever the plan calls them. */
function agentNames(plan: Plan, agents: number, given: string | undefined): readonly string[] {
  if (agents === 1) return [given ?? `${DEFAULT_AGENT}-0`];
  return Array.from({ length: agents }, (_, index) => plan.agents[index]?.id ?? `${given ?? DEFAULT_AGENT}-${index}`);
}

async function carryOut(task: RunTask): Promise<ExitCode> {
  const { file, plan, selection, carried, collectTo, env } = task;
  const masks = new Masks();
  const screen = maskedScreen(screenOf(process.stderr, env), masks);
  const log = new ConsoleLog(screen, plan, task.stages);
  const name = task.names[0] ?? plan.name;
  const state = savedBy(task, masks, log);
  const key: RunKey = { repositoryId: "local", runId: unguessable(), attempt: 1, group: "local", plan: plan.name };
  const startedAt = Date.now();
  const attendant = attendantOf(task, masks, log);
  const collected = new CollectedParts();
  const told = new WeakSet();
  let steps = 0;
  const hosted = beginRun(
    { key, plan, selection, agentCount: 1, ...(carried === null ? {} : { carried }) },
    {
      onChange: (changed) => {
        state?.follow(changed.state);
        // Only when there can be another one.
        if (changed.state.steps !== steps) {
          steps = changed.state.steps;
          log.phases(changed.newPhases(told));
        }
        attendant.look(changed);
      },
    },
  );
  const { host } = hosted;
  if (task.interactive) host.commit({ event: { type: "attended", at: host.now, wanted: true } });
  let agent: Agent;
  try {
    agent = createAgent({
      plan,
      planFile: relative(process.cwd(), resolve(file)),
      key,
      name,
      role: null,
      index: null,
      address: null,
      workingDirectory: process.cwd(),
      environment: env,
      ownSecrets: [],
      masks,
      commandLine: [process.execPath, realpathSync(process.argv[1] ?? "stagewright")],
      coordinator: new InProcessCoordinator(hosted),
      selection,
      agentCount: 1,
      ...(collectTo === null ? {} : { collectTo }),
      log: (event) => {
        if (event.kind === "collected") collected.add(collectedPart(event, masks));
        // What it waits for then is on the screen.
        if (event.kind !== "waiting" || !attendant.isAsking) log.event(event);
      },
    });
  } catch (error) {
    host.close();
    throw error;
  }
  const signals = new Signals(
    {
      cancel: (by) => {
        attendant.stop();
        agent.hurry();
        void host.cancel(userName(), by);
      },
      stop: (by) => {
        agent.kill();
        agent.leave(`interrupted by ${by}`);
      },
    },
    (text) => log.line(text),
  );
  let end: LoopEnd;
  try {
    end = await agent.run();
  } finally {
    signals.dispose();
    attendant.stop();
    host.close();
  }
  const summary = maskedSummary(end.kind === "finished" ? end.summary : host.summary(), masks);
  const { outputFile } = task;
  const ended = { file, key, plan, masks, summary, selection, startedAt, outputFile, collected };
  const isTold = tellOutcome(ended, log, screen);
  if (signals.exitCode !== null) return signals.exitCode;
  const isWell = end.kind === "finished" && isTold && state?.isBehind !== true;
  return isWell ? EXIT.success : EXIT.failure;
}

/** Both spellings mean the same; both at once would leave open which holds. @throws UsageError */
function selectionOf(plan: Plan, options: RunOptions, carried: Carried | null): Selection {
  const { onlyStage, onlyPhase, stopAfterStage, stopAfterPhase, skipStages, skipPhases } = options;
  const twice = [
    [onlyStage, onlyPhase, "only"],
    [stopAfterStage, stopAfterPhase, "stop-after"],
    [skipStages, skipPhases, "skip"],
  ] as const;
  for (const [stage, phase, word] of twice) {
    const plural = word === "skip" ? "s" : "";
    if (stage !== undefined && phase !== undefined) {
      throw new UsageError(`--${word}-stage${plural} and --${word}-phase${plural} are the same, expected one of them`);
    }
  }
  const wanted = {
    only: onlyStage ?? onlyPhase,
    stopAfter: stopAfterStage ?? stopAfterPhase,
    skip: skipStages ?? skipPhases,
    enabled: [
      ...(options.enableContext === true ? (["context"] as const) : []),
      ...(options.enableQuorum === true ? (["quorum"] as const) : []),
    ],
  };
  const selected = select(plan, wanted, carried?.succeeded);
  if ("problems" in selected) throw new UsageError(...selected.problems);
  return selected.selection;
}

/** @throws UsageError: there would be nobody to ask, or nothing to ask about */
function checkAttended({ dryRun, inputFile }: RunOptions): void {
  if (dryRun === true) {
    throw new UsageError("--interactive and --dry-run contradict each other (nothing is run), expected one of them");
  }
  if (inputFile === STANDARD_INPUT) {
    throw new UsageError("--interactive and --input-file - contradict each other: answers come from standard input");
  }
  if (!hasTerminal())
    throw new UsageError("--interactive: there is no terminal to ask at (standard input or error is none)");
}

function hasTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** What would only be found out when it is too late. @throws UsageError */
function checkBefore(
  plan: Plan,
  selection: Selection,
  reused: readonly number[],
  options: RunOptions,
  file: string,
): void {
  if (options.agentName !== undefined && (options.agentName.length > 200 || !PRINTABLE.test(options.agentName))) {
    throw new UsageError("--agent-name: expected 1 to 200 printable characters");
  }
  const checkpoint = plan.stages.find(
    (stage) => stage.checkpoint && isSelected(selection, stage.index) && !reused.includes(stage.index),
  );
  if (checkpoint !== undefined && !hasTerminal()) {
    throw new UsageError(
      `${file}:${checkpoint.line}:${checkpoint.column}: error: stage "${checkpoint.name}" waits for a person, and there is no terminal to ask at`,
    );
  }
  if (options.outputFile === undefined) return;
  const target = resolve(options.outputFile);
  if (statSync(target, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`--output-file ${options.outputFile}: is a directory`);
  }
  try {
    accessSync(dirname(target), constants.W_OK);
  } catch {
    throw new UsageError(`--output-file ${options.outputFile}: its directory is not there or may not be written to`);
  }
}
