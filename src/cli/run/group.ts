/**
 * A group on one machine: this process coordinates, each agent is a process of its own that joins over loopback.
 *
 * The agents are process groups of their own, so that a Ctrl-C reaches this process alone: it ends the run, and the
 * agents learn of that as they learn of everything. When this process dies, its agents notice at once and leave.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { realpathSync } from "node:fs";
import { relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Masks } from "../../agent/masking/masks.ts";
import { SecretVariables } from "../../agent/masking/secret-variables.ts";
import { waitText } from "../../agent/waits.ts";
import type { RunHost } from "../../coordinator/hosting/host.ts";
import { Runs } from "../../coordinator/hosting/runs.ts";
import { runIdOf } from "../../coordinator/protocol/run-id.ts";
import { serveLoopback } from "../../coordinator/server/serve.ts";
import { joinAddress, splitAddress } from "../../plan/parsing/address.ts";
import { formatDuration } from "../../plan/parsing/duration.ts";
import { maskedSummary } from "../../report/masked.ts";
import { CollectedParts } from "../../report/record/collected.ts";
import { collectedPartSchema } from "../../report/record/result-schema.ts";
import { explain } from "../../run/explain.ts";
import { agentIdentity, type RunKey } from "../../run/types.ts";
import { type ToldWait, waitLine } from "../../run/wait-lines.ts";
import type { StateFile } from "../../state-file/state-file.ts";
import { EXIT, type ExitCode, UsageError } from "../exit.ts";
import { type ParentMessage, PLAN_FILE_VARIABLE } from "./agent.ts";
import { type Attendant, userName } from "./checkpoint.ts";
import { ConsoleLog, maskedScreen, screenOf } from "./console.ts";
import { tellOutcome } from "./outcome.ts";
import { SECRET_VARIABLE, takeSecret } from "./secret.ts";
import { Signals } from "./signals.ts";
import { attendantOf, savedBy } from "./state.ts";
import type { RunTask } from "./task.ts";

/** After the run is over agents only say goodbye; one that does not is ended. */
const GOODBYE_MS = 20_000;
const KILL_MS = 5_000;
/** What ends one agent often ends the next: they are told of together. */
const GATHER_MS = 500;
/** How often it is looked whether a wait is to be told of. */
const WAITS_EVERY_MS = 1_000;
const LOOPBACK = "127.0.0.1";
/** Characters. */
const LEAST_SECRET = 32;

/** @returns the exit code: the group's verdict */
export async function runGroup(task: RunTask): Promise<ExitCode> {
  const { file, plan, selection, carried, collectTo, names, outputFile, env } = task;
  const agents = names.length;
  // What its agents tell they have masked themselves; this masks what is known of the plan's secrets here.
  const masks = new Masks();
  const screen = maskedScreen(screenOf(process.stderr, env), masks);
  const log = new ConsoleLog(screen, plan, task.stages);
  const state = savedBy(task, masks, log);
  const key: RunKey = { repositoryId: "local", runId: randomUUID(), attempt: 1, group: "local", plan: plan.name };
  const startedAt = Date.now();
  const onError = (error: unknown, what: string): void =>
    log.line(`coordinator: ${what}: ${error instanceof Error ? error.message : String(error)}`);
  const follower = new Follower(log, attendantOf(task, masks, log));
  const runs = new Runs({ store: null, onError, onChange: ({ host }) => follower.look(host, state) });
  const given = groupSecret(takeSecret(env));
  const secret = given ?? randomBytes(32).toString("base64url");
  masks.hold(secret);
  new SecretVariables(plan.secrets ?? [], masks, (event) => log.event(event)).start(env, plan);
  const serving = await serveLoopback({ secret, runs, onError });
  const { host } = await runs.open({
    key,
    plan,
    selection,
    agentCount: agents,
    ...(carried === null ? {} : { carried }),
  });
  if (task.interactive) host.commit({ event: { type: "attended", at: host.now, wanted: true } });
  log.line(
    given === null
      ? `a group of ${agents} agents on this machine`
      : `a group of ${agents} agents on this machine; with the same ${SECRET_VARIABLE} one joins in a lost one's place: ` +
          `stagewright agent --coordinator http://${serving.address} --run ${runIdOf(key)} --agent-name NAME`,
  );
  const elsewhere = plan.agents.slice(0, agents).flatMap(({ address }) => (address === null ? [] : [address]));
  if (elsewhere.some((address) => hereOf(address) !== address)) {
    log.line(
      `all agents are on this machine: their addresses are 127.0.0.1, not ${elsewhere.join(", ")} as in the plan`,
    );
  }
  const children = new Children(env, log, (gone) => {
    // With a secret that others have, somebody may join in its place.
    if (given !== null || host.isOver) return;
    const absent = gone.map(({ name, how }) => ({ id: agentIdentity(name), why: `${name} ${how}` }));
    host.commit({ event: { type: "not_coming", at: host.now, absent } });
  });
  for (const [index, name] of names.entries()) {
    // With roles, indexes are given by role when the group is assembled.
    const kept = collectTo === null ? [] : ["--collect-to", collectTo];
    const place = Object.keys(plan.roles).length > 0 ? [] : ["--agent-index", String(index)];
    const address = hereOf(plan.agents[index]?.address ?? null);
    const where = ["--coordinator", `http://${serving.address}`, "--run", runIdOf(key), "--address", address];
    children.start(name, ["agent", ...where, "--agent-name", name, ...place, ...kept], {
      [SECRET_VARIABLE]: secret,
      [PLAN_FILE_VARIABLE]: relative(process.cwd(), resolve(file)),
    });
  }
  const signals = new Signals(
    {
      cancel: (by) => {
        follower.stopAsking();
        children.tell("hurry");
        void host.cancel(userName(), by);
      },
      stop: () => children.kill(),
    },
    (text) => log.line(text),
  );
  try {
    await Promise.race([follower.over, children.allGone.then(() => follower.allGone(host))]);
    await Promise.race([children.allGone, sleep(GOODBYE_MS, undefined, { ref: false })]);
    children.kill();
    await children.allGone;
  } finally {
    signals.dispose();
    follower.stop();
    await serving.close();
  }
  const summary = maskedSummary(host.summary(), masks);
  const { collected } = children;
  const ended = { file, key, plan, masks, summary, selection, startedAt, outputFile, collected };
  const isTold = tellOutcome(ended, log, screen);
  if (signals.exitCode !== null) return signals.exitCode;
  const isWell = host.isOver && isTold && state?.isBehind !== true;
  return isWell ? EXIT.success : EXIT.failure;
}

/** Of who may join by hand; null: nobody may. It never comes from the command line, nor is it told in the log. */
function groupSecret(given: string | undefined): string | null {
  if (given === undefined || given === "") return null;
  if (given.length < LEAST_SECRET) {
    throw new UsageError(
      `${SECRET_VARIABLE} has ${given.length} characters; expected at least ${LEAST_SECRET}, as "openssl rand -hex 16" makes them`,
    );
  }
  return given;
}

/** What the plan says is for the machines that it names: here the port remains of it. */
function hereOf(address: string | null): string {
  const { host, port } = splitAddress(address ?? LOOPBACK);
  if (address !== null && /^(?:127\.|localhost$|::1$)/.test(host ?? "")) return address;
  return port === null ? LOOPBACK : joinAddress(LOOPBACK, port);
}

/** Tells what the whole group comes to while it goes on, and asks at checkpoints. */
class Follower {
  readonly #log: ConsoleLog;
  readonly #attendant: Attendant;
  readonly over: Promise<void>;
  #end: () => void = () => undefined;
  readonly #told = new WeakSet();
  #steps = 0;
  #toldNotice = 0;
  #toldWait: ToldWait | null = null;
  #waiting: NodeJS.Timeout | null = null;

  constructor(log: ConsoleLog, attendant: Attendant) {
    this.#log = log;
    this.#attendant = attendant;
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** `file`: where the run's state is kept, before anything of it is told. */
  look(host: RunHost, file: StateFile | null): void {
    file?.follow(host.state);
    const { steps, notices, noticeSeq } = host.state;
    for (const { agent, text } of notices.filter(({ seq }) => seq > this.#toldNotice)) {
      this.#log.line(agent === null ? `  ${text}` : `${agent} | ${text}`);
    }
    this.#toldNotice = noticeSeq;
    // A result is put together only when there can be another one: there may be many agents.
    if (steps !== this.#steps) {
      this.#steps = steps;
      this.#log.phases(host.newPhases(this.#told));
    }
    this.#waiting ??= setInterval(() => this.#explain(host), WAITS_EVERY_MS).unref();
    this.#attendant.look(host);
    if (host.isOver) this.#end();
  }

  /** Every agent is gone. Somebody may join by hand until the run notices; it ends by itself when nobody does. */
  async allGone(host: RunHost): Promise<void> {
    if (host.isOver) return;
    const { status, assemblyUntil } = host.state;
    const until =
      status === "assembling"
        ? `when nobody joins in their place within ${formatDuration(Math.max(0, assemblyUntil - host.now))}`
        : "when they count as lost";
    this.#log.line(`all agents of this process are gone; the run ends ${until}`);
    await this.over;
  }

  stop(): void {
    this.#attendant.stop();
    if (this.#waiting !== null) clearInterval(this.#waiting);
  }

  stopAsking(): void {
    this.#attendant.stop();
  }

  /** What the group waits for: of several waits the first. */
  #explain(host: RunHost): void {
    if (this.#attendant.isAsking) return;
    const wait = explain(host.state).waits.find(({ waiting }) => waiting > 0);
    const about = wait === undefined ? null : { key: `${wait.reason} ${wait.stage}`, since: wait.since };
    const { isDue, told } = waitLine(this.#toldWait, about, host.now);
    this.#toldWait = told;
    if (isDue && wait !== undefined) this.#log.line(`  ${waitText(wait.text, wait, host.now)}`);
  }
}

/** A process that has ended, and how. */
interface Gone {
  readonly name: string;
  readonly how: string;
}

/** The agents' processes; their logs are shown with their names. */
class Children {
  /** What they told that they kept. */
  readonly collected = new CollectedParts();
  readonly #env: NodeJS.ProcessEnv;
  readonly #log: ConsoleLog;
  readonly #running = new Map<string, ChildProcess>();
  readonly #ends: Promise<unknown>[] = [];
  readonly #onGone: (gone: readonly Gone[]) => void;
  readonly #gone: Gone[] = [];
  #telling: NodeJS.Timeout | null = null;

  /** `onGone` is told of all that are gone so far, some time after each or when it was the last. */
  constructor(env: NodeJS.ProcessEnv, log: ConsoleLog, onGone: (gone: readonly Gone[]) => void) {
    this.#env = env;
    this.#log = log;
    this.#onGone = onGone;
  }

  get allGone(): Promise<void> {
    return Promise.all(this.#ends).then(() => undefined);
  }

  start(name: string, args: readonly string[], env: Readonly<Record<string, string>>): void {
    const child = spawn(process.execPath, [realpathSync(process.argv[1] ?? "stagewright"), ...args], {
      env: { ...this.#env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      detached: true,
    });
    this.#running.set(name, child);
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on("line", (line) => this.#log.line(`${name} | ${line}`));
    }
    child.on("message", (message) => {
      const part = collectedPartSchema.safeParse(message);
      if (part.success) this.collected.add(part.data);
    });
    const end = once(child, "close").then(
      ([code, signal]) => {
        const how = signal === null ? `exited with ${String(code)}` : `was ended by ${String(signal)}`;
        if (signal !== null || code !== 0) this.#log.line(`${name} | ${how}`);
        this.#note(name, how);
      },
      (error: unknown) => {
        const how = `could not be started: ${error instanceof Error ? error.message : String(error)}`;
        this.#log.line(`${name} | ${how}`);
        this.#note(name, how);
      },
    );
    this.#ends.push(end);
  }

  #note(name: string, how: string): void {
    this.#running.delete(name);
    this.#gone.push({ name, how });
    if (this.#telling !== null) clearTimeout(this.#telling);
    const tell = (): void => this.#onGone(this.#gone);
    if (this.#running.size === 0) tell();
    else this.#telling = setTimeout(tell, GATHER_MS).unref();
  }

  tell(message: ParentMessage): void {
    for (const child of this.#running.values()) if (child.connected) child.send(message);
  }

  /** Each ends its commands and itself, without cleanup; whoever does not is ended. */
  kill(): void {
    this.tell("kill");
    setTimeout(() => {
      for (const child of this.#running.values()) child.kill("SIGKILL");
    }, KILL_MS).unref();
  }
}
