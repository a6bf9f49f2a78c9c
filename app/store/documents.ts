/**
 * JSON that this app wrote itself, and the trust boundary of the store: nothing from outside passes here unparsed, it
 * was parsed before it was stored. Each document holds the version of its form as `v`; what an earlier version wrote
 * becomes what this one expects here and nowhere else.
 */
import type { RunRecord } from "../../src/coordinator/hosting/run-store.ts";
import type { Evaluation } from "../../src/lifecycle/evaluation/evaluation.ts";
import type { Actor, Facts } from "../../src/lifecycle/facts/facts.ts";
import { observedOnce, observedTwice } from "./facts-document.ts";
import type { Blocked, ConfirmedState, Intent, PolicyState, StartedRun, WaitingGate } from "./model.ts";

/** Of a started run and of a gate: what no query asks for. */
export type StartDetail = Omit<
  StartedRun,
  | "id"
  | "key"
  | "repositoryId"
  | "number"
  | "workflow"
  | "state"
  | "version"
  | "queuedAt"
  | "runId"
  | "limit"
  | "nextAt"
  | "askAt"
  | "generation"
>;
export type GateDetail = Omit<
  WaitingGate,
  "repositoryId" | "runId" | "environment" | "state" | "version" | "askedAt" | "nextAt" | "askAt" | "generation"
>;

interface Documents {
  facts: Facts;
  confirmed: ConfirmedState;
  evaluation: Evaluation;
  intent: Intent;
  blocked: Blocked;
  actor: Actor;
  /** What an effect does, and what came of it: its handler has the schemas. */
  effect: object;
  result: object;
  started_run: StartDetail;
  gate: GateDetail;
  policy: PolicyState;
  run_record: RunRecord;
  /** Whoever hosts the run has its versions: it is not read here. */
  run_snapshot: object;
  run_note: object;
}

type Written = Readonly<Record<string, unknown>>;
type Upgrade = (before: Written) => Written;

const same: Upgrade = (before) => before;

/**
 * How each becomes what the next version writes, from 0 (without `v`, until migration 0012) on. A field that is added
 * gets here what it means of what was written before.
 */
const UPGRADES: { readonly [K in keyof Documents]: readonly Upgrade[] } = {
  facts: [same, same],
  confirmed: [same],
  evaluation: [
    // All that were open were evaluated anew when these were added.
    ({ spent, ...before }) => ({ notApplying: [], usedLabels: spent ?? [], people: true, unclear: [], ...before }),
  ],
  intent: [same],
  blocked: [same],
  actor: [same],
  effect: [same],
  result: [same],
  started_run: [same],
  gate: [same],
  policy: [same],
  run_record: [same],
  run_snapshot: [],
  run_note: [same],
};

/** The newest version of each that this version of the app reads. */
export const NEWEST_DOCUMENTS = Object.fromEntries(
  Object.entries(UPGRADES).map(([kind, { length }]) => [kind, length]),
) as Readonly<Record<keyof Documents, number>>;

/** It was written by a version of this app that is newer than this one. */
export class NewerDocument extends Error {
  override readonly name = "NewerDocument";
}

export function read<K extends keyof Documents>(kind: K, text: string): Documents[K] {
  const { v = 0, ...written } = JSON.parse(text) as Written & { readonly v?: number };
  const upgrades = UPGRADES[kind];
  if (v > upgrades.length) {
    throw new NewerDocument(
      `The database holds ${kind} of version ${v}, and this version of the app reads up to ${upgrades.length}: start the version that wrote it, or a newer one.`,
    );
  }
  const upgraded = upgrades.slice(v).reduce<Written>((before, upgrade) => upgrade(before), written);
  return (kind === "facts" ? observedTwice(upgraded) : upgraded) as Documents[K];
}

export function readOrNull<K extends keyof Documents>(kind: K, text: string | null): Documents[K] | null {
  return text === null ? null : read(kind, text);
}

export function written<K extends keyof Documents>(kind: K, value: Documents[K]): string {
  const shortened = kind === "facts" ? observedOnce(value as Facts) : value;
  return JSON.stringify({ v: UPGRADES[kind].length, ...shortened });
}

export function writtenOrNull<K extends keyof Documents>(kind: K, value: Documents[K] | null): string | null {
  return value === null ? null : written(kind, value);
}

/** JSON without a version: lists of ids, what may be forgotten, what its reader checks with a schema. */
export function parsed<T>(text: string): T {
  return JSON.parse(text) as T;
}
