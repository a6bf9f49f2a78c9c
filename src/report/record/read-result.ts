/** A result file as it was written, or what is wrong with it and where. Pure: the file's bytes come in. */
import { z } from "zod";
import { isDeeper } from "../../plan/bounds.ts";
import { isMapping } from "../../plan/parsing/key-parser.ts";
import { type Position, quote, START } from "../../plan/parsing/problems.ts";
import type { Problem } from "../../plan/plan.ts";
import { excessAt, positionAt } from "../../run/resume/json-error.ts";
import { locateInJson } from "./json-position.ts";
import { RESULT_VERSION } from "./provenance.ts";
import { type Result, resultSchema } from "./result-schema.ts";

/** Enough for 300 stages of 256 agents with metrics of their own, each value on a line. */
export const LARGEST_RESULT_BYTES = 64 * 1024 * 1024;
const DEEPEST = 100;
/**
 * Looked for before anything is made of the text: a million empty mappings cost a second. The largest that is written,
 * of 300 stages and 256 agents with two metrics each, has 1,470,000 values on 52 MiB.
 */
const MOST = { depth: 10_000, values: 2_000_000, members: 200_000 };
/** So many values are held against the schema at once. */
const AT_ONCE = 20_000;

export interface ReadResult {
  /** Null when there is a problem. */
  readonly result: Result | null;
  readonly problems: readonly Problem[];
}

/** Never throws on any content. @param file its name, for messages */
export function readResult(content: Uint8Array, file: string): ReadResult {
  const problem = (at: Position, message: string): ReadResult => ({
    result: null,
    problems: [{ severity: "error", file, ...at, message }],
  });
  if (content.byteLength > LARGEST_RESULT_BYTES) {
    return problem(START, `the file has more than ${LARGEST_RESULT_BYTES / 1_048_576} MiB, expected a result`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    return problem(START, "the file is not text in UTF-8, expected a result as JSON");
  }
  const excess = excessAt(text, MOST);
  if (excess !== null) {
    const most = {
      depth: "lists and mappings stand more than 10,000 deep",
      values: "more than 2,000,000 values",
      members: "more than 200,000 values in one list or mapping",
    };
    return problem(excess.at, `${most[excess.what]}, expected a result`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const [, offset = "0"] = /at position ([0-9]{1,10})/u.exec(said) ?? [];
    return problem(positionAt(text, Number(offset)), "not valid JSON, expected a result");
  }
  const version = versionOf(value);
  if (version === null) {
    return problem(START, 'no result: expected what `stagewright run` prints, with "schema_version"');
  }
  if (version !== RESULT_VERSION) {
    const at = positionAt(text, locateInJson(text, ["schema_version"]));
    return problem(at, `a result of version ${quote(version)}, and this program reads ${RESULT_VERSION}`);
  }
  if (isResult(value)) return { result: value, problems: [] };
  const wrong = firstProblem(resultSchema, value) ??
    firstIssueOf(resultSchema, value) ?? { path: [], message: "no result" };
  const name = wrong.path.map((step) => (typeof step === "number" ? step : quote(step).slice(1, -1))).join(".");
  const at = positionAt(text, locateInJson(text, wrong.path));
  return problem(at, `${name === "" ? "" : `${name}: `}${quote(wrong.message).slice(1, -1)}`);
}

/**
 * Held against the schema once, piece by piece, and taken as it is: the copies that the schema would make of all of it
 * cost more than to read it. What the schema does not know is left in, and nobody looks at it.
 */
function isResult(value: unknown): value is Result {
  return firstProblem(resultSchema, value) === null;
}

interface Wrong {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * The first value that is not as the schema says. What is large is looked at member by member, up to the first that is
 * wrong: the schema by itself would tell of every member of a list of millions.
 */
function firstProblem(schema: unknown, value: unknown): Wrong | null {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    const isLeftOut = schema instanceof z.ZodOptional ? value === undefined : value === null;
    return isLeftOut ? null : firstProblem(schema.unwrap(), value);
  }
  if (schema instanceof z.ZodType && isSmall(value)) return firstIssueOf(schema, value);
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    // How many there may be.
    const wrong = firstIssueOf(schema.clone({ ...schema.def, element: z.unknown() }), value);
    if (wrong !== null) return wrong;
    for (const [index, member] of value.entries()) {
      const wrong = firstProblem(schema.element, member);
      if (wrong !== null) return below(index, wrong);
    }
    return null;
  }
  if (schema instanceof z.ZodObject && isMapping(value)) {
    for (const [key, inner] of Object.entries(schema.shape)) {
      const wrong = firstProblem(inner, Object.hasOwn(value, key) ? value[key] : undefined);
      if (wrong !== null) return below(key, wrong);
    }
    return null;
  }
  if (schema instanceof z.ZodRecord && isMapping(value)) {
    for (const [key, member] of Object.entries(value)) {
      const wrong = firstProblem(schema.valueType, member);
      if (wrong !== null) return below(key, wrong);
    }
    return null;
  }
  if (isDeeper(value, DEEPEST)) {
    return { path: [], message: `lists and mappings stand more than ${DEEPEST} deep, expected a result` };
  }
  return schema instanceof z.ZodType ? firstIssueOf(schema, value) : null;
}

function below(step: string | number, { path, message }: Wrong): Wrong {
  return { path: [step, ...path], message };
}

/** Whether it is made of few values, and not deep; looks at no more of them than a few. */
function isSmall(value: unknown): boolean {
  return roomBeside(value, AT_ONCE, DEEPEST) >= 0;
}

/** What is left of so many values and levels, without those of this one; negative: it has more. */
function roomBeside(value: unknown, room: number, levels: number): number {
  if (typeof value !== "object" || value === null) return room;
  if (levels === 0) return -1;
  let left = room;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && left >= 0; index += 1) {
      left = roomBeside(value[index], left - 1, levels - 1);
    }
  } else if (isMapping(value)) {
    // Not `Object.values`: of a large result that would be a list for each of some hundred thousand mappings.
    for (const key in value) {
      if (left < 0) break;
      left = roomBeside(value[key], left - 1, levels - 1);
    }
  }
  return left;
}

function firstIssueOf(schema: z.ZodType, value: unknown): Wrong | null {
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  if (issue === undefined) return null;
  return { path: issue.path.map((step) => (typeof step === "number" ? step : String(step))), message: issue.message };
}

function versionOf(value: unknown): unknown {
  return isMapping(value) ? (value.schema_version ?? null) : null;
}
