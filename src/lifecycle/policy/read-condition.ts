/** Reads conditions and actions of a policy file, with every mistake at its place. */

import { isMapping, type Place, parseValue } from "../../plan/parsing/key-parser.ts";
import { quote, suggestion } from "../../plan/parsing/problems.ts";
import { ACTIONS } from "../actions/index.ts";
import { basisOf, CONDITIONS } from "../conditions/index.ts";
import type { Action, ActionKind, Condition, Leaf, LeafKind } from "./policy.ts";

const COMBINATORS = ["all", "any", "not"] as const;
export const CONDITION_KEYS: readonly string[] = [...Object.keys(CONDITIONS), ...COMBINATORS];
const MOST_PARTS = 100;

/** The condition; undefined when something is wrong with it, which is then told. */
export function readCondition(value: unknown, place: Place, label: string): Condition | undefined {
  if (typeof value === "string") {
    return readBare(value, place, label);
  }
  if (!isMapping(value)) {
    const example = "expected a condition, such as { label: ready-for-qa }";
    place.problems.error(place.source.at(place.path), `${label}: ${example}, got ${quote(value)}`);
    return undefined;
  }
  const members = foldResult(value);
  const parts: (Condition | undefined)[] = Object.entries(members).map(([key, member]) =>
    readMember(key, member, { ...place, path: [...place.path, key] }, `${label}.${key}`),
  );
  if (parts.length === 0) {
    place.problems.error(place.source.at(place.path), `${label}: expected a condition, got an empty mapping`);
    return undefined;
  }
  return join(parts);
}

function readMember(key: string, value: unknown, place: Place, label: string): Condition | undefined {
  if (key === "all" || key === "any") {
    const list = Array.isArray(value) ? value : [];
    if (list.length === 0 || list.length > MOST_PARTS) {
      const what = `expected a list of 1 to ${MOST_PARTS} conditions`;
      place.problems.error(place.source.at(place.path), `${label}: ${what}, got ${quote(value)}`);
      return undefined;
    }
    const parts = list.map((part, index) =>
      readCondition(part, { ...place, path: [...place.path, index] }, `${label}.${index}`),
    );
    const known = parts.filter((part) => part !== undefined);
    return known.length === parts.length ? { kind: key, of: known } : undefined;
  }
  if (key === "not") {
    const of = readCondition(value, place, label);
    return of === undefined ? undefined : { kind: "not", of };
  }
  if (!isLeafKind(key)) {
    const what = `unknown condition ${quote(key)}${suggestion(key, CONDITION_KEYS)}`;
    place.problems.error(place.source.keyAt(place.path), `${label}: ${what}`);
    return undefined;
  }
  return parseLeaf(key, value, place, label);
}

/** `changes_requested` for `changes_requested: true`. */
function readBare(key: string, place: Place, label: string): Condition | undefined {
  const at = place.source.at(place.path);
  if (!isLeafKind(key)) {
    place.problems.error(at, `${label}: unknown condition ${quote(key)}${suggestion(key, CONDITION_KEYS)}`);
    return undefined;
  }
  const parsed = CONDITIONS[key].schema.safeParse(null);
  if (!parsed.success) {
    const example = CONDITIONS[key].examples[0] ?? key;
    place.problems.error(at, `${label}: ${key} needs a value, expected for example { ${example} }`);
    return undefined;
  }
  return parsed.data;
}

/** `{ workflow: qa.yml, result: failure }` for `{ workflow: { workflow: qa.yml, result: failure } }`. */
function foldResult(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { workflow, result, ...others } = value;
  return typeof workflow === "string" && result !== undefined ? { ...others, workflow: { workflow, result } } : value;
}

function parseLeaf<K extends LeafKind>(kind: K, value: unknown, place: Place, label: string): Leaf<K> | undefined {
  return parseValue(CONDITIONS[kind].schema, value, place, label);
}

function join(parts: readonly (Condition | undefined)[]): Condition | undefined {
  const known = parts.filter((part) => part !== undefined);
  const [only] = known;
  if (known.length < parts.length || only === undefined) {
    return undefined;
  }
  return known.length === 1 ? only : { kind: "all", of: known };
}

function isLeafKind(key: string): key is LeafKind {
  return Object.hasOwn(CONDITIONS, key);
}

/**
 * Whether a condition can only come to hold by something that somebody did. States gate: no state by itself sends a
 * pull request back.
 */
export function restsOnActs(condition: Condition): boolean {
  switch (condition.kind) {
    case "all":
      return condition.of.some(restsOnActs);
    case "any":
      return condition.of.every(restsOnActs);
    case "not":
      return false;
    default:
      return basisOf(condition) === "act";
  }
}

/** The actions of a list that are right. */
export function readActions(values: readonly unknown[], place: Place, label: string): Action[] {
  return values.flatMap((value, index) => {
    const path = [...place.path, index];
    const action = readAction(value, { ...place, path }, `${label}.${index}`);
    return action === undefined ? [] : [action];
  });
}

function readAction(value: unknown, place: Place, label: string): Action | undefined {
  const [entry, ...others] = isMapping(value) ? Object.entries(value) : [];
  if (entry === undefined || others.length > 0) {
    const example = 'expected one action, such as comment: "over to {{owner}}"';
    place.problems.error(place.source.at(place.path), `${label}: ${example}, got ${quote(value)}`);
    return undefined;
  }
  const [key, member] = entry;
  const path = [...place.path, key];
  if (!isActionKind(key)) {
    const what = `unknown action ${quote(key)}${suggestion(key, Object.keys(ACTIONS))}`;
    place.problems.error(place.source.keyAt(path), `${label}: ${what}`);
    return undefined;
  }
  return parseAction(key, member, { ...place, path }, `${label}.${key}`);
}

function parseAction<K extends ActionKind>(
  kind: K,
  value: unknown,
  place: Place,
  label: string,
): Action<K> | undefined {
  return parseValue(ACTIONS[kind].schema, value, place, label);
}

function isActionKind(key: string): key is ActionKind {
  return Object.hasOwn(ACTIONS, key);
}
