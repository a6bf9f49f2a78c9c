/** `stagewright agent`: one agent of a run whose coordinator is elsewhere. Joins, works, ends with the group's verdict. */
import { realpathSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { cleanUp, createAgent } from "../../agent/agent.ts";
import type { AgentEvent } from "../../agent/log.ts";
import type { LoopEnd } from "../../agent/loop-end.ts";
import { Masks } from "../../agent/masking/masks.ts";
import { unseenWarning } from "../../agent/process/process-groups.ts";
import { HttpCoordinator, readTerms, sayRetries } from "../../coordinator/client/client.ts";
import { Refusal } from "../../coordinator/protocol/refusal.ts";
import { ADDRESS, NOT_AN_ADDRESS } from "../../plan/parsing/address.ts";
import { platformRefusal } from "../../platform.ts";
import { collectedPart } from "../../report/record/collected.ts";
import { EXIT, type ExitCode, UsageError } from "../exit.ts";
import { collectFolder } from "./collect.ts";
import { ConsoleLog, maskedScreen, screenOf } from "./console.ts";
import { SECRET_VARIABLE, takeSecret } from "./secret.ts";

export interface AgentCommandOptions {
  readonly coordinator: string;
  readonly run: string;
  readonly agentName: string;
  readonly agentIndex?: number;
  readonly role?: string;
  readonly address?: string;
  readonly collectTo?: string;
}

/** How annotations are to name the plan's file. */
export const PLAN_FILE_VARIABLE = "STAGEWRIGHT_PLAN_FILE";

/** What a parent process tells its agents. */
export type ParentMessage = "hurry" | "kill";

const TERMS_MS = 60_000;
const CLEANUP_MS = 240_000;
const TELLING_MS = 5_000;

/** @returns the exit code. @throws UsageError before anything has run */
export async function agent(options: AgentCommandOptions, env: NodeJS.ProcessEnv): Promise<ExitCode> {
  const refusal = platformRefusal(process.platform);
  if (refusal !== null) throw new UsageError(`agent: ${refusal}`);
  const url = addressOf(options.coordinator);
  const secret = takeSecret(env) ?? "";
  if (secret === "") throw new UsageError(`${SECRET_VARIABLE} is not set: it holds what this agent joins with`);
  if (options.address !== undefined && !ADDRESS.test(options.address)) {
    throw new UsageError(`--address ${options.address}: ${NOT_AN_ADDRESS}`);
  }
  const terms = await termsOf(url, options.run, secret);
  const { plan, key, selection, agentCount } = terms;
  if (options.role !== undefined && Object.keys(plan.roles).length === 0) {
    throw new UsageError(`--role ${options.role}: the plan has no roles`);
  }
  const collectTo = collectFolder(plan, options.collectTo, options.run);
  const masks = new Masks();
  masks.hold(secret);
  const screen = maskedScreen(screenOf(process.stderr, env), masks);
  const log = new ConsoleLog(screen, plan, plan.stages);
  const unseen = unseenWarning();
  // A parent has said it for all of its agents.
  if (unseen !== null && !process.connected) log.line(`warning: ${unseen}`);
  // On their way to the parent.
  const telling: Promise<void>[] = [];
  const shared = {
    plan,
    planFile: env[PLAN_FILE_VARIABLE] || plan.name,
    key,
    name: options.agentName,
    role: options.role ?? null,
    index: options.agentIndex ?? null,
    address: options.address ?? null,
    workingDirectory: process.cwd(),
    environment: env,
    ownSecrets: [],
    masks,
    ...(collectTo === null ? {} : { collectTo }),
    commandLine: [process.execPath, realpathSync(process.argv[1] ?? "stagewright")],
    log: (event: AgentEvent): void => {
      if (event.kind === "collected" && process.connected) {
        telling.push(new Promise((done) => process.send?.(collectedPart(event, masks), () => done())));
      }
      // What concerns the group, its parent says once for all of them.
      if (!process.connected || (event.kind !== "notice" && event.kind !== "waiting")) log.event(event);
    },
  };
  const coordinator = new HttpCoordinator({
    url,
    credential: async () => secret,
    onRetry: sayRetries((text) => log.line(text)),
  });
  const running = createAgent({ ...shared, coordinator, selection, agentCount });
  const skipCleanup = new AbortController();
  let exitCode: ExitCode | null = null;
  const leave = (why: string, code: ExitCode): void => {
    if (exitCode !== null) {
      skipCleanup.abort();
      running.kill();
      return;
    }
    exitCode = code;
    running.leave(why);
  };
  const kill = (): void => {
    skipCleanup.abort();
    running.kill();
    leave("ended by the process that started it", EXIT.failure);
  };
  const handlers: readonly (readonly [string, (...about: unknown[]) => void])[] = [
    ["SIGINT", () => leave("interrupted by SIGINT", EXIT.interrupted)],
    ["SIGTERM", () => leave("interrupted by SIGTERM", EXIT.terminated)],
    ["SIGHUP", () => running.reset("SIGHUP")],
    // Only where a parent started this agent: without it nobody would look after it.
    ["disconnect", () => leave("the process that started this agent is gone", EXIT.failure)],
    ["message", (message) => (message === "kill" ? kill() : running.hurry())],
  ];
  for (const [name, handler] of handlers) process.on(name, handler);
  let end: LoopEnd;
  try {
    end = await running.run();
    // The group cleans up together; whoever falls out of it does so alone.
    if (end.kind !== "finished" && !skipCleanup.signal.aborted) {
      log.line(`${end.why}: cleaning up`);
      const own = { selection, group: running.group(), leftOut: true };
      await cleanUp({ ...shared, ...own }, AbortSignal.any([skipCleanup.signal, AbortSignal.timeout(CLEANUP_MS)]));
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    log.line(`the coordinator refuses this agent: ${error.message}`);
    return EXIT.failure;
  } finally {
    for (const [name, handler] of handlers) process.removeListener(name, handler);
    if (process.connected) {
      await Promise.race([Promise.all(telling), sleep(TELLING_MS, undefined, { ref: false })]);
      process.disconnect();
    }
  }
  if (exitCode !== null) return exitCode;
  return end.kind === "finished" && end.summary.verdict === "success" ? EXIT.success : EXIT.failure;
}

function addressOf(text: string): URL {
  try {
    const url = new URL(text);
    if (url.protocol === "https:" || url.protocol === "http:") return url;
  } catch {
    // Said below.
  }
  throw new UsageError(`--coordinator ${text}: expected an address that begins with https:// or http://`);
}

async function termsOf(url: URL, run: string, secret: string): ReturnType<typeof readTerms> {
  try {
    return await readTerms(url, run, secret, AbortSignal.timeout(TERMS_MS));
  } catch (error) {
    throw new UsageError(
      `--coordinator ${url.host}, --run ${run}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
