/** Reads the action's inputs: all that is wrong with them at once, nothing taken silently for something else. */
import { splitAddress } from "../../plan/parsing/address.ts";
import { NOT_PRINTABLE, PRINTABLE } from "../../plan/parsing/names.ts";
import { INPUTS, type InputName, inputVariable } from "./io.ts";

export interface Inputs {
  readonly plan: string;
  /** Name -> text; the plan's own types say what it means. */
  readonly params: Readonly<Record<string, string>>;
  readonly onlyStages: readonly string[];
  readonly stopAfterStage: string | null;
  readonly skipStages: readonly string[];
  /** A later attempt goes on from the state of the one before. */
  readonly resume: boolean;
  /** Null: none was named. */
  readonly stateFile: string | null;
  /** Null: from the job. */
  readonly agentName: string | null;
  readonly agentIndex: number;
  /** Null: not said, neither by hand nor by the matrix. */
  readonly agentCount: number | null;
  /** Empty, `leader`, or an address. */
  readonly coordinator: string;
  /** Null: the job's id. */
  readonly group: string | null;
  readonly role: string | null;
  readonly listen: string | null;
  readonly advertise: string | null;
  /** Of the job's matrix; null: not said. */
  readonly failFast: boolean | null;
  readonly maxParallel: number | null;
  readonly report: "auto" | "check" | "commands";
  readonly reportOutput: "tail" | "none";
  /** Names of variables whose values are masked. */
  readonly secrets: readonly string[];
  /** Empty: none. */
  readonly githubToken: string;
}

export type ReadInputs = { readonly inputs: Inputs } | { readonly problems: readonly string[] };

const REPORTS = ["auto", "check", "commands"] as const;
const REPORT_OUTPUTS = ["tail", "none"] as const;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,199}$/;
const LONGEST_NAME = 100;

/** What the action may do on GitHub, whatever its other inputs are; empty: nothing. */
export function tokenOf(env: Readonly<Record<string, string | undefined>>): string {
  return (env[inputVariable("github-token")] ?? "").trim();
}

/** The inputs in `env` (`INPUT_*`), or one line for each that is wrong. */
export function readInputs(env: Readonly<Record<string, string | undefined>>): ReadInputs {
  const problems: string[] = [];
  const text = (name: InputName): string => {
    const given = (env[inputVariable(name)] ?? "").trim();
    // Outside a runner nobody fills in an expression: then there is no value.
    const fallback = INPUTS[name].default.includes("${{") ? "" : INPUTS[name].default;
    return given === "" ? fallback : given;
  };
  const count = (name: InputName, least: number, most: number): number | null => {
    const given = text(name);
    if (given === "") return null;
    if (/^\d{1,6}$/u.test(given) && Number(given) >= least && Number(given) <= most) return Number(given);
    problems.push(`${name}: expected a whole number from ${least} to ${most}, got ${quoted(given)}`);
    return null;
  };

  const plan = text("plan");
  if (plan === "") problems.push("plan: expected the path of a plan file, got nothing");
  const given = text("report");
  const report = REPORTS.find((each) => each === given);
  if (report === undefined) problems.push(`report: expected auto, check or commands, got ${quoted(given)}`);
  const givenOutput = text("report-output");
  const reportOutput = REPORT_OUTPUTS.find((each) => each === givenOutput);
  if (reportOutput === undefined) problems.push(`report-output: expected tail or none, got ${quoted(givenOutput)}`);
  const secrets = list(text("secrets"));
  for (const name of secrets) {
    if (VARIABLE.test(name)) continue;
    problems.push(
      `secrets: expected names of environment variables, separated by commas or lines, got ${quoted(name)}`,
    );
  }
  const agentCount = count("agent-count", 1, 1000);
  const agentIndex = count("agent-index", 0, 999);
  if (agentCount !== null && agentIndex !== null && agentIndex >= agentCount && agentCount > 1) {
    problems.push(`agent-index: ${agentIndex} is not below agent-count (${agentCount}); indexes count from 0`);
  }
  const name = (input: InputName): string | null => {
    const given = text(input);
    if (given !== "" && (given.length > LONGEST_NAME || !PRINTABLE.test(given))) {
      problems.push(`${input}: ${NOT_PRINTABLE}, of at most ${LONGEST_NAME} characters`);
    }
    return given === "" ? null : given;
  };
  const address = (input: InputName): string | null => {
    const given = text(input);
    if (given === "" || isAddress(given)) return given === "" ? null : given;
    problems.push(`${input}: expected host:port, got ${quoted(given)}`);
    return null;
  };
  const coordinator = text("coordinator");
  if (coordinator !== "" && coordinator !== "leader" && !isCoordinatorUrl(coordinator)) {
    problems.push(`coordinator: expected leader or an address that begins with https://, got ${quoted(coordinator)}`);
  }
  const flag = (name: InputName): boolean | null => {
    const given = text(name);
    if (given === "true" || given === "false") return given === "true";
    if (given !== "") problems.push(`${name}: expected true or false, got ${quoted(given)}`);
    return null;
  };
  const stages = (name: InputName): readonly string[] => {
    const given = text(name);
    const found = list(given);
    // Whoever puts a list together and gets none does not mean all stages.
    if (given !== "" && found.length === 0) {
      problems.push(`${name}: expected names or numbers of stages, separated by commas, got ${quoted(given)}`);
    }
    return found;
  };
  const inputs = {
    plan,
    params: params(env[inputVariable("params")] ?? "", problems),
    onlyStages: stages("only-stage"),
    stopAfterStage: text("stop-after-stage") || null,
    skipStages: stages("skip-stages"),
    resume: flag("resume") === true,
    stateFile: text("state-file") || null,
    agentName: name("agent-name"),
    agentIndex: agentIndex ?? 0,
    agentCount,
    coordinator,
    group: name("group"),
    role: name("role"),
    listen: address("listen"),
    advertise: address("advertise"),
    failFast: flag("fail-fast"),
    maxParallel: count("max-parallel", 1, 100_000),
    report: report ?? "auto",
    reportOutput: reportOutput ?? "tail",
    secrets,
    githubToken: tokenOf(env),
  };
  return problems.length > 0 ? { problems } : { inputs };
}

function isAddress(given: string): boolean {
  try {
    splitAddress(given);
    return true;
  } catch {
    return false;
  }
}

/** Without TLS only on this machine: tokens must not be readable on the way. */
function isCoordinatorUrl(given: string): boolean {
  if (!URL.canParse(given)) return false;
  const { protocol, hostname } = new URL(given);
  const isHere = hostname === "127.0.0.1" || hostname === "localhost" || hostname === "[::1]";
  return protocol === "https:" || (protocol === "http:" && isHere);
}

/** Lines of `name=value`; the value may hold further equals signs and is not trimmed at its end beyond the line's. */
function params(text: string, problems: string[]): Readonly<Record<string, string>> {
  const found = new Map<string, string>();
  for (const [at, raw] of text.split(/\r?\n/u).entries()) {
    if (raw.trim() === "") continue;
    const equals = raw.indexOf("=");
    const name = raw.slice(0, equals).trim();
    if (equals < 0 || name === "")
      problems.push(`params: line ${at + 1}: expected name=value, got ${quoted(raw.trim())}`);
    else if (found.has(name)) problems.push(`params: line ${at + 1}: ${quoted(name)} is given twice`);
    else found.set(name, raw.slice(equals + 1).trim());
  }
  return Object.fromEntries(found);
}

/** Separated by commas or lines. */
function list(text: string): readonly string[] {
  return text
    .split(/[,\n]/u)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);
}
