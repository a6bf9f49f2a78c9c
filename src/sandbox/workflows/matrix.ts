/** `strategy.matrix` -> the jobs it makes, in GitHub's order. Pure. */
import type { Value } from "../runner/expressions.ts";

export type Combination = Readonly<Record<string, Value>>;

/** GitHub's limit of jobs a matrix. */
export const MATRIX_LIMIT = 256;

/** The matrix does not have the form. */
export class MatrixProblem extends Error {
  override readonly name = "MatrixProblem";
}

const isRecord = (value: Value | undefined): value is Readonly<Record<string, Value>> =>
  value !== null && typeof value === "object" && !Array.isArray(value);
const same = (a: Value | undefined, b: Value): boolean => JSON.stringify(a) === JSON.stringify(b);

function listOf(value: Value | undefined, what: string): readonly Combination[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isRecord)) throw new MatrixProblem(`${what} must be a list of mappings`);
  return value;
}

/**
 * Every combination of the lists, less what `exclude` names, with what `include` adds: an entry that overwrites none
 * of a combination's own values extends it, one that fits none is a combination of its own.
 */
export function expandMatrix(matrix: Value): readonly Combination[] {
  if (!isRecord(matrix)) throw new MatrixProblem("strategy.matrix must be a mapping");
  const { include, exclude, ...axes } = matrix;
  let combinations: Record<string, Value>[] = Object.keys(axes).length === 0 ? [] : [{}];
  for (const [name, values] of Object.entries(axes)) {
    if (!Array.isArray(values)) throw new MatrixProblem(`strategy.matrix.${name} must be a list`);
    combinations = combinations.flatMap((one) => values.map((value) => ({ ...one, [name]: value })));
    if (combinations.length > MATRIX_LIMIT * 4)
      throw new MatrixProblem(`the matrix has more than ${MATRIX_LIMIT} jobs`);
  }
  const excluded = listOf(exclude, "strategy.matrix.exclude");
  combinations = combinations.filter(
    (one) => !excluded.some((pattern) => Object.entries(pattern).every(([name, value]) => same(one[name], value))),
  );
  const own = combinations.map((one) => Object.keys(one));
  const extended = combinations.map((one) => ({ ...one }));
  const added: Combination[] = [];
  for (const entry of listOf(include, "strategy.matrix.include")) {
    let fits = false;
    for (const [at, one] of combinations.entries()) {
      const original = own[at] ?? [];
      if (!Object.entries(entry).every(([name, value]) => !original.includes(name) || same(one[name], value))) continue;
      fits = true;
      Object.assign(extended[at] ?? {}, entry);
    }
    if (!fits) added.push(entry);
  }
  const all = [...extended, ...added];
  if (all.length > MATRIX_LIMIT) throw new MatrixProblem(`the matrix has more than ${MATRIX_LIMIT} jobs`);
  if (all.length === 0) throw new MatrixProblem("the matrix has no jobs");
  return all;
}

/** What GitHub puts in brackets behind the job's name: `bench (2, linux)`. */
export function combinationName(combination: Combination): string {
  const texts = Object.values(combination).map((value) =>
    value !== null && typeof value === "object" ? "Object" : String(value),
  );
  return texts.length === 0 ? "" : ` (${texts.join(", ")})`;
}
