/** A result file as it was written, or what is wrong with it and where. Pure: the file's bytes come in. */
import { z } from "zod";
import { isDeeper } from "../../plan/bounds.ts";
import { isMapping } from "../../plan/parsing/key-parser.ts";
import { type Position, quote, START } from "../../plan/parsing/problems.ts";
import type { Problem } from "../../plan/plan.ts";
import { locateInJson, positionAt } from "./json-position.ts";
import { RESULT_VERSION } from "./provenance.ts";
import { type Result, resultSchema } from "./result-schema.ts";

/** Enough for 300 stages of 256 agents with metrics of their own, each value on a line. */
export const LARGEST_RESULT_BYTES = 64 * 1024 * 1024;
const DEEPEST = 100;

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
  const wrong = firstProblem(resultSchema, value, []) ?? issueOf(resultSchema, value, []);
  if (wrong === null) return { result: resultSchema.parse(value), problems: [] };
  const name = wrong.path.map((step) => (typeof step === "number" ? step : quote(step).slice(1, -1))).join(".");
  const at = positionAt(text, locateInJson(text, wrong.path));
  return problem(at, `${name === "" ? "" : `${name}: `}${quote(wrong.message).slice(1, -1)}`);
}

interface Wrong {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * The first value that is not as the schema says. Goes member by member and stops there: the schema by itself would tell
 * of every member of a list of millions.
 */
function firstProblem(schema: unknown, value: unknown, path: readonly (string | number)[]): Wrong | null {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    const isLeftOut = schema instanceof z.ZodOptional ? value === undefined : value === null;
    return isLeftOut ? null : firstProblem(schema.unwrap(), value, path);
  }
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    for (const [index, member] of value.entries()) {
      const wrong = firstProblem(schema.element, member, [...path, index]);
      if (wrong !== null) return wrong;
    }
    return null;
  }
  if (schema instanceof z.ZodObject && isMapping(value)) {
    for (const [key, inner] of Object.entries(schema.shape)) {
      const wrong = firstProblem(inner, Object.hasOwn(value, key) ? value[key] : undefined, [...path, key]);
      if (wrong !== null) return wrong;
    }
    return null;
  }
  if (schema instanceof z.ZodRecord && isMapping(value)) {
    for (const [key, member] of Object.entries(value)) {
      const wrong = firstProblem(schema.valueType, member, [...path, key]);
      if (wrong !== null) return wrong;
    }
    return null;
  }
  return schema instanceof z.ZodType ? issueOf(schema, value, path) : null;
}

function issueOf(schema: z.ZodType, value: unknown, path: readonly (string | number)[]): Wrong | null {
  if (path.length > 0 && isDeeper(value, DEEPEST)) {
    return { path, message: `lists and mappings stand more than ${DEEPEST} deep, expected a result` };
  }
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  if (issue === undefined) return null;
  const steps = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  return { path: [...path, ...steps], message: issue.message };
}

function versionOf(value: unknown): unknown {
  return isMapping(value) ? (value.schema_version ?? null) : null;
}
