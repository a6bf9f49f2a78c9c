/** A result file as it was written, or what is wrong with it and where. Pure: the file's bytes come in. */
import { isDeeper } from "../plan/bounds.ts";
import { type Position, quote, START } from "../plan/parsing/problems.ts";
import type { Problem } from "../plan/plan.ts";
import { locateInJson, positionAt } from "./json-position.ts";
import { RESULT_VERSION } from "./provenance.ts";
import { type Result, resultSchema } from "./result-schema.ts";

/** A result of 300 stages and 256 agents has less than half of it. */
export const LARGEST_RESULT_BYTES = 32 * 1024 * 1024;
const DEEPEST = 100;
const MOST_PROBLEMS = 20;

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
  if (isDeeper(value, DEEPEST))
    return problem(START, `lists and mappings stand more than ${DEEPEST} deep, expected a result`);
  const version = versionOf(value);
  if (version === null) {
    return problem(START, 'no result: expected what `stagewright run` prints, with "schema_version"');
  }
  if (version !== RESULT_VERSION) {
    const at = positionAt(text, locateInJson(text, ["schema_version"]));
    return problem(at, `a result of version ${quote(version)}, and this program reads ${RESULT_VERSION}`);
  }
  const read = resultSchema.safeParse(value);
  if (read.success) return { result: read.data, problems: [] };
  return {
    result: null,
    problems: read.error.issues.slice(0, MOST_PROBLEMS).map(({ path, message }) => {
      const steps = path.map((step) => (typeof step === "number" ? step : String(step)));
      const name = steps.map((step) => (typeof step === "number" ? step : quote(step).slice(1, -1))).join(".");
      const at = positionAt(text, locateInJson(text, steps));
      return { severity: "error", file, ...at, message: `${name}: ${quote(message).slice(1, -1)}` };
    }),
  };
}

function versionOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return "schema_version" in value ? value.schema_version : null;
}
