/** Starts the action as a real process with the environment that a runner gives, and reads what it says as one does. */
import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { inputVariable } from "../../src/action/input/io.ts";
import { createCommandFiles, readCommandFiles } from "../../src/sandbox/runner/command-files.ts";
import { type StepAnnotation, workflowCommandReader } from "../../src/sandbox/runner/workflow-commands.ts";
import { COMPILE_CACHE } from "../compile-cache.ts";
import { program } from "../programs.ts";

export const SOURCE_ENTRY = program("src/action.ts");
export const SOURCE_POST = program("src/post.ts");
export const BUNDLE_ENTRY = resolve("dist/index.js");
export const BUNDLE_POST = resolve("dist/post.js");

export interface StepOptions {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** The webhook event of the workflow run. */
  readonly event?: unknown;
  /** What an earlier process of this action saved: makes this its post step, unless `entry` says otherwise. */
  readonly state?: ReadonlyMap<string, string>;
  readonly entry?: string;
  /** Whose process it is; default: the same as here. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface StepResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Lines that a reader of the log sees. */
  readonly log: readonly string[];
  readonly annotations: readonly (Omit<StepAnnotation, "path"> & { readonly path: string | null })[];
  readonly masks: readonly string[];
  readonly outputs: ReadonlyMap<string, string>;
  readonly state: ReadonlyMap<string, string>;
  readonly summary: string;
  /** Everything as it was printed. */
  readonly raw: string;
  readonly stderr: string;
  /** Milliseconds. */
  readonly took: number;
}

export interface Step {
  readonly child: ChildProcess;
  readonly ended: Promise<StepResult>;
  /** Resolves when the log holds this text. */
  seen(text: string): Promise<void>;
}

/** A machine with one checkout, for the steps of one test. */
export class TestRunner {
  readonly root: string;
  readonly workspace: string;
  readonly temporary: string;

  private constructor(root: string) {
    this.root = root;
    this.workspace = join(root, "repo");
    this.temporary = join(root, "temp");
  }

  static async create(files: Readonly<Record<string, string>> = {}): Promise<TestRunner> {
    const runner = new TestRunner(await mkdtemp(join(tmpdir(), "action-test-")));
    await mkdir(runner.workspace);
    await mkdir(runner.temporary);
    for (const [name, content] of Object.entries(files)) await writeFile(join(runner.workspace, name), content);
    return runner;
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }

  file(name: string): string | null {
    const path = join(this.workspace, name);
    return existsSync(path) ? readFileSync(path, "utf8") : null;
  }

  async start(options: StepOptions = {}): Promise<Step> {
    const files = await createCommandFiles(this.temporary);
    const eventPath = join(this.root, "event.json");
    await writeFile(eventPath, JSON.stringify(options.event ?? {}));
    const env: Record<string, string> = {
      PATH: process.env.PATH ?? "",
      HOME: this.root,
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_WORKSPACE: this.workspace,
      GITHUB_EVENT_PATH: eventPath,
      GITHUB_REPOSITORY: "acme/widgets",
      GITHUB_REPOSITORY_ID: "11",
      GITHUB_RUN_ID: "77",
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_JOB: "train",
      GITHUB_SHA: "b".repeat(40),
      GITHUB_SERVER_URL: "https://github.example",
      RUNNER_TEMP: this.temporary,
      ...files,
      ...COMPILE_CACHE,
      ...options.env,
    };
    if (options.user !== undefined) {
      const { uid, gid } = options.user;
      for (const path of [this.root, this.workspace, this.temporary, ...Object.values(files)])
        chownSync(path, uid, gid);
    }
    for (const [name, value] of Object.entries(options.inputs ?? {})) env[inputVariable(name)] = value;
    for (const [name, value] of options.state ?? []) env[`STATE_${name}`] = value;
    const started = performance.now();
    const child = spawn(
      process.execPath,
      [options.entry ?? (options.state === undefined ? SOURCE_ENTRY : SOURCE_POST)],
      {
        cwd: this.workspace,
        env,
        stdio: ["ignore", "pipe", "pipe"],
        ...options.user,
      },
    );
    let raw = "";
    let stderr = "";
    const watchers = new Set<() => void>();
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      raw += chunk;
      for (const watcher of watchers) watcher();
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    const ended = new Promise<StepResult>((resolveEnd, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        const took = performance.now() - started;
        readCommandFiles(files)
          .then(({ outputs, state, summary, problems }) => {
            if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("\n"));
            resolveEnd({ code, signal, ...readLog(raw), outputs, state, summary, raw, stderr, took });
          })
          .catch(reject);
      });
    });
    const seen = (text: string): Promise<void> =>
      new Promise((found, gone) => {
        const look = (): void => {
          if (!raw.includes(text)) return;
          watchers.delete(look);
          found();
        };
        watchers.add(look);
        child.once("close", () =>
          gone(new Error(`the step ended without saying ${JSON.stringify(text)}:\n${raw}${stderr}`)),
        );
        look();
      });
    return { child, ended, seen };
  }

  /** Starts it and waits for its end. */
  async run(options: StepOptions = {}): Promise<StepResult> {
    return (await this.start(options)).ended;
  }
}

function readLog(raw: string): Pick<StepResult, "log" | "annotations" | "masks"> {
  const read = workflowCommandReader();
  const log: string[] = [];
  const annotations: StepResult["annotations"][number][] = [];
  const masks: string[] = [];
  for (const line of raw.split("\n")) {
    const meaning = read(line);
    if (meaning.kind === "text") log.push(meaning.text);
    else if (meaning.kind === "annotation") annotations.push(meaning.annotation);
    else if (meaning.kind === "mask") masks.push(meaning.value);
    else if (meaning.kind === "refused") throw new Error(meaning.message);
  }
  return { log, annotations, masks };
}
