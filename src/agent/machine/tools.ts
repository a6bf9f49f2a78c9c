/** Programs that commands call, and variables that they read. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import type { VersionBound } from "../../plan/plan.ts";
import { isVersion, versionIn } from "../../plan/version.ts";
import { printableLine } from "../output/lines.ts";
import type { CheckContext, CheckOf } from "./check.ts";

/** A program that is asked for its version and says nothing. */
const VERSION_MS = 5_000;
/** Lines of what it says that are looked at. */
const VERSION_LINES = 20;

export const checkTool: CheckOf<"tool"> = async ({ name, version }, context) => {
  const file = await find(name, context);
  if (file === null) {
    const where = name.includes("/") ? "there is no such program, or it cannot be run" : "it is not on the PATH";
    return { category: "configuration", message: where, remedy: "install it on the runner" };
  }
  if (version === null) return null;
  const said = await askVersion(file, context);
  const found = versionIn(said);
  const wanted = versionText(version);
  if (found === null) {
    const message = `${file} --version tells no version, ${wanted} is needed`;
    return { category: "configuration", message, remedy: "look at what it prints, or leave the version out" };
  }
  if (isVersion(found, version)) return null;
  const message = `${file} is ${found.join(".")}, ${wanted} is needed`;
  return { category: "configuration", message, remedy: "install that version on the runner" };
};

export const checkVariable: CheckOf<"variable"> = async ({ name }, { env }) => {
  const value = env[name];
  if (value !== undefined && value !== "") return null;
  const message = value === undefined ? "it is not set" : "it is empty";
  return { category: "configuration", message, remedy: "set it in the step's env, or in the plan's" };
};

async function find(name: string, { env, workingDirectory }: CheckContext): Promise<string | null> {
  const candidates = name.includes("/")
    ? [resolve(workingDirectory, name)]
    : (env.PATH ?? "").split(delimiter).map((directory) => join(resolve(workingDirectory, directory), name));
  for (const file of candidates) {
    const isFile = await stat(file).then(
      (found) => found.isFile(),
      () => false,
    );
    const isRunnable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isFile && isRunnable) return file;
  }
  return null;
}

/** What a program prints when it is asked for its version; a part of it when that takes too long. */
async function askVersion(file: string, { processes, env, workingDirectory, signal }: CheckContext): Promise<string> {
  const lines: string[] = [];
  const running = processes.start({
    command: { kind: "program", file, args: ["--version"] },
    args: [],
    name: "version",
    env,
    workingDirectory,
    onLine: (line) => {
      if (lines.length < VERSION_LINES) lines.push(printableLine(line).slice(0, 1_000));
    },
    onLeftBehind: () => undefined,
    onRemaining: () => undefined,
  });
  const end = (): void => running.end(0);
  const timer = setTimeout(end, VERSION_MS);
  signal.addEventListener("abort", end, { once: true });
  await running.ended;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
  return lines.join("\n");
}

function versionText({ comparison, numbers }: VersionBound): string {
  return `${comparison} ${numbers.join(".")}`;
}
