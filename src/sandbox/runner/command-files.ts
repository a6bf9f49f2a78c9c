/**
 * The files through which a step talks to its runner: GITHUB_OUTPUT, GITHUB_STATE, GITHUB_ENV (names and values,
 * with heredocs), GITHUB_PATH (a line each) and GITHUB_STEP_SUMMARY (Markdown). Read as GitHub's runner reads them.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** GitHub's limit for a step's summary. */
export const SUMMARY_LIMIT = 1024 * 1024;

/** A command file that does not have the form; the step that wrote it fails. */
export class CommandFileProblem extends Error {
  override readonly name = "CommandFileProblem";
}

/** Variable -> file name's beginning, as GitHub's runner has them. */
const FILES = {
  GITHUB_OUTPUT: "set_output_",
  GITHUB_STATE: "save_state_",
  GITHUB_ENV: "set_env_",
  GITHUB_PATH: "add_path_",
  GITHUB_STEP_SUMMARY: "step_summary_",
} as const;
export type CommandFileVariable = keyof typeof FILES;
export type CommandFiles = Readonly<Record<CommandFileVariable, string>>;

/** What a step wrote. */
export interface CommandFileContents {
  readonly outputs: ReadonlyMap<string, string>;
  readonly state: ReadonlyMap<string, string>;
  readonly env: ReadonlyMap<string, string>;
  /** In the order written: each goes before what was on the PATH. */
  readonly path: readonly string[];
  readonly summary: string;
  /** What could not be taken, each a line for the log and an error annotation. */
  readonly problems: readonly { readonly message: string; readonly fatal: boolean }[];
}

/** Makes five empty files for one step. */
export async function createCommandFiles(temporary: string): Promise<CommandFiles> {
  const directory = join(temporary, "_runner_file_commands");
  await mkdir(directory, { recursive: true });
  const id = randomUUID();
  const at = (variable: CommandFileVariable): string => join(directory, `${FILES[variable]}${id}`);
  const files: CommandFiles = {
    GITHUB_OUTPUT: at("GITHUB_OUTPUT"),
    GITHUB_STATE: at("GITHUB_STATE"),
    GITHUB_ENV: at("GITHUB_ENV"),
    GITHUB_PATH: at("GITHUB_PATH"),
    GITHUB_STEP_SUMMARY: at("GITHUB_STEP_SUMMARY"),
  };
  await Promise.all(Object.values(files).map((file) => writeFile(file, "")));
  return files;
}

/**
 * Names and values as GitHub's runner reads them: `name=value`, or `name<<DELIMITER`, lines, `DELIMITER`.
 * Whichever of `=` and `<<` comes first decides. Throws CommandFileProblem.
 */
export function parseNamesAndValues(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line === "") continue;
    const equals = line.indexOf("=");
    const heredoc = line.indexOf("<<");
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      const name = line.slice(0, equals);
      if (name === "") throw new CommandFileProblem(`Invalid format '${line}'. Name must not be empty`);
      found.set(name, line.slice(equals + 1));
    } else if (heredoc >= 0) {
      const name = line.slice(0, heredoc);
      const delimiter = line.slice(heredoc + 2);
      if (name === "" || delimiter === "") {
        throw new CommandFileProblem(
          `Invalid format '${line}'. Name must not be empty and delimiter must not be empty`,
        );
      }
      const end = lines.indexOf(delimiter, at + 1);
      if (end < 0) throw new CommandFileProblem(`Invalid value. Matching delimiter not found '${delimiter}'`);
      found.set(name, lines.slice(at + 1, end).join("\n"));
      at = end;
    } else {
      throw new CommandFileProblem(`Invalid format '${line}'`);
    }
  }
  return found;
}

/** Reads what a step wrote and removes the files. A file that the step removed is as good as empty. */
export async function readCommandFiles(files: CommandFiles): Promise<CommandFileContents> {
  const problems: { message: string; fatal: boolean }[] = [];
  const text = async (file: string): Promise<string> => readFile(file, "utf8").catch(() => "");
  const pairs = async (variable: CommandFileVariable, name: string): Promise<ReadonlyMap<string, string>> => {
    try {
      return parseNamesAndValues(await text(files[variable]));
    } catch (error) {
      if (!(error instanceof CommandFileProblem)) throw error;
      problems.push({ message: `Unable to process file command '${name}' successfully.`, fatal: true });
      problems.push({ message: error.message, fatal: true });
      return new Map();
    }
  };
  const outputs = await pairs("GITHUB_OUTPUT", "output");
  const state = await pairs("GITHUB_STATE", "save-state");
  const env = new Map(await pairs("GITHUB_ENV", "env"));
  if (env.delete("NODE_OPTIONS")) {
    problems.push({ message: "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.", fatal: false });
  }
  const path = (await text(files.GITHUB_PATH)).split(/\r?\n/).filter((line) => line !== "");
  const size = await stat(files.GITHUB_STEP_SUMMARY).then(
    (found) => found.size,
    () => 0,
  );
  let summary = "";
  if (size > SUMMARY_LIMIT) {
    const kibibytes = Math.floor(size / 1024);
    const message = `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${kibibytes}k.`;
    problems.push({ message, fatal: false });
  } else {
    summary = await text(files.GITHUB_STEP_SUMMARY);
  }
  await Promise.all(Object.values(files).map((file) => rm(file, { force: true })));
  return { outputs, state, env, path, summary, problems };
}
