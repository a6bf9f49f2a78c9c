/**
 * A plan in its canonical form: JSON with sorted keys and without positions, so that two checkouts that differ only
 * in comments or indentation agree, and a digest over it.
 */
import { createHash } from "node:crypto";
import type { Plan } from "./plan.ts";

/** Where a stage stands in its file says nothing about what it does. */
const POSITION_KEYS: ReadonlySet<string> = new Set(["line", "column"]);

/** The plan as JSON text: keys sorted, no white space, positions of stages left out. */
export function canonicalPlan(plan: Plan): string {
  return canonicalJson({ ...plan, stages: plan.stages.map(withoutPosition) });
}

/** SHA-256 over the canonical form, in lower-case hex. */
export function planDigest(plan: Plan): string {
  return createHash("sha256").update(canonicalPlan(plan)).digest("hex");
}

/** A plan as it can be recognized without being told: its digest, and one of each of its parts. */
export interface PlanPrint {
  readonly digest: string;
  /** `params.epochs`, `stages.train.command` -> digest; what says nothing is left out. */
  readonly parts: Readonly<Record<string, string>>;
}

export function planPrint(plan: Plan): PlanPrint {
  const { stages, ...rest } = named(plan);
  const parts = new Map<string, string>();
  const add = (path: string, value: unknown): void => {
    const text = canonicalJson(value);
    if (!SAYS_NOTHING.has(text)) parts.set(path, createHash("sha256").update(text).digest("hex").slice(0, 12));
  };
  for (const [key, value] of Object.entries(rest)) {
    if (key !== "params" || !isRecord(value)) add(key, value);
    else for (const [name, each] of Object.entries(value)) add(`params.${name}`, each);
  }
  for (const [name, stage] of Object.entries(Object(stages))) {
    for (const [key, value] of Object.entries(Object(stage)))
      if (!PLACE_KEYS.has(key)) add(`stages.${name}.${key}`, value);
  }
  return { digest: planDigest(plan), parts: Object.fromEntries(parts) };
}

/** Where two plans differ, by their prints: the first few places. Empty when they agree. */
export function printDifference(ours: PlanPrint["parts"], theirs: PlanPrint["parts"], limit = 5): string {
  const ofStages = (parts: PlanPrint["parts"]): ReadonlySet<string> =>
    new Set(Object.keys(parts).map((path) => /^stages\..*(?=\.)/u.exec(path)?.[0] ?? ""));
  const [ourStages, theirStages] = [ofStages(ours), ofStages(theirs)];
  const found = new Set<string>();
  for (const path of [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].sort()) {
    if (ours[path] === theirs[path]) continue;
    const stage = /^stages\..*(?=\.)/u.exec(path)?.[0] ?? "";
    if (stage !== "" && !theirStages.has(stage)) found.add(`${stage} is only here`);
    else if (stage !== "" && !ourStages.has(stage)) found.add(`${stage} is only there`);
    else found.add(`${path} differs`);
  }
  const shown = [...found].slice(0, limit).map((path) => path.slice(0, LONGEST_PATH));
  return [...shown, ...(found.size > limit ? [`and ${found.size - limit} more`] : [])].join("; ");
}

/** A path of a plan is shorter; one from elsewhere need not be. */
const LONGEST_PATH = 400;
/** Said by the order of the stages. */
const PLACE_KEYS: ReadonlySet<string> = new Set(["name", "index", "order"]);
const SAYS_NOTHING: ReadonlySet<string> = new Set(["null", "[]", "{}", "false", '""']);

/**
 * In words, where `theirs` differs from `ours`: the first few paths with both values, stages named by name.
 * Empty when the two agree.
 */
export function planDifference(ours: Plan, theirs: Plan, limit = 5): string {
  const found: string[] = [];
  compare(named(ours), named(theirs), "", found);
  const shown = found.slice(0, limit);
  if (found.length > limit) {
    shown.push(`and ${found.length - limit} more`);
  }
  return shown.join("; ");
}

/**
 * JSON with the keys of every object sorted by code unit; `undefined` members are left out, as in JSON. `known`: the
 * texts of objects that were made text of before and do not change.
 */
export function canonicalJson(value: unknown, known?: WeakMap<object, string>): string {
  if (typeof value !== "object" || value === null) {
    return JSON.stringify(value) ?? "null";
  }
  const before = known?.get(value);
  if (before !== undefined) {
    return before;
  }
  if (Array.isArray(value)) {
    return `[${value.map((item) => canonicalJson(item ?? null, known)).join(",")}]`;
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member, known)}`);
  return `{${members.join(",")}}`;
}

function withoutPosition(stage: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(stage).filter(([key]) => !POSITION_KEYS.has(key)));
}

/** Stages keyed by name, and their order as a list of its own: a missing stage is then one difference, not all. */
function named(plan: Plan): Record<string, unknown> {
  const stages = Object.fromEntries(plan.stages.map((stage) => [stage.name, withoutPosition(stage)]));
  return { ...plan, stages, "order of stages": plan.stages.map((stage) => stage.name).join(", ") };
}

function compare(ours: unknown, theirs: unknown, path: string, found: string[]): void {
  if (isRecord(ours) && isRecord(theirs)) {
    for (const key of [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].sort()) {
      compare(ours[key], theirs[key], path === "" ? key : `${path}.${key}`, found);
    }
    return;
  }
  const [left, right] = [canonicalJson(ours), canonicalJson(theirs)];
  if (left !== right) {
    found.push(`${path}: ${shown(ours, left)} here, ${shown(theirs, right)} there`);
  }
}

function shown(value: unknown, text: string): string {
  if (value === undefined) {
    return "nothing";
  }
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
