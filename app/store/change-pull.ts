/** Changing a pull request's row: read, decide, write if nobody else has written meanwhile, else read again. */
import { randomUUID } from "node:crypto";
import type { Facts } from "../../src/lifecycle/facts/facts.ts";
import type { Commit, Pull, PullId, Store, Woken } from "./model.ts";

/** Others write the same row for moments only; this often means that something is wrong. */
const MOST_TRIES = 20;

export type RowChange = { readonly pull: Pull } & Omit<Commit, "pulls" | "now">;

/**
 * Applies `change` to the row as it is now (null: there is none) until nobody interferes. `change` returns null to
 * leave it. Resolves with what was written, or null; null, too, when something else of it was written by somebody else.
 * `known`: the row as it was read last, with which it is tried first. `tell`: what `wakes` woke.
 */
export async function changePull(
  store: Pick<Store, "pull" | "commit">,
  id: PullId,
  now: () => number,
  change: (row: Pull | null) => RowChange | null,
  known?: Pull,
  tell?: (woken: Woken) => void,
): Promise<Pull | null> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const row = tries === 0 && known !== undefined ? known : await store.pull(id);
    const made = change(row);
    if (made === null) {
      return null;
    }
    const { pull, ...rest } = made;
    const outcome = await store.commit({ ...rest, pulls: [pull], now: now() });
    if (outcome.committed) {
      if (outcome.woken !== undefined) {
        tell?.(outcome.woken);
      }
      return { ...pull, version: pull.version + 1 };
    }
    if (outcome.what !== "pull") {
      // What else was to be written is somebody else's now: deciding again would come to the same.
      return null;
    }
  }
  throw new Error(`Pull request ${id.repositoryId}#${id.number} was changed by others ${MOST_TRIES} times in a row.`);
}

/** As one word, for what knows items of several kinds; `pullOf` reads it. */
export function pullKey({ repositoryId, number }: PullId): string {
  return `${repositoryId}-${number}`;
}

export function pullOf(key: string): PullId {
  const [repositoryId = Number.NaN, number = Number.NaN] = key.split("-", 2).map(Number);
  return { repositoryId, number };
}

export function newPull(id: PullId, facts: Facts, installationId: number | null): Pull {
  return {
    repositoryId: id.repositoryId,
    number: id.number,
    installationId,
    version: 0,
    facts,
    confirmed: null,
    evaluation: null,
    reevaluateAt: null,
    reevaluationTries: 0,
    intent: null,
    intentAt: null,
    blocked: null,
  };
}

/** What is on it is read again before anything is written, whatever we knew. `note`: for the history, and why. */
export function readAgain(pull: Pull, at: number, note: string | null = null): Pull {
  const stage = pull.confirmed?.stage ?? null;
  const fresh = { id: randomUUID(), from: stage, to: stage, createdAt: at, tries: 0, sentAt: null, notes: [] };
  const intent = pull.intent ?? fresh;
  const notes = note === null ? intent.notes : [...intent.notes, note];
  return { ...pull, intent: { ...intent, notes, read: true }, intentAt: sooner(pull.intentAt, at) };
}

/**
 * The move is on its way no more. What was sent and not confirmed may show on GitHub all the same: it is kept in mind,
 * and read before anything else is written.
 */
export function parked({ intent }: Pull): Pick<Pull, "intent" | "intentAt"> {
  const unsure = intent !== null && (intent.sentAt !== null || intent.read);
  return { intent: unsure ? { ...intent, tries: 0, read: true } : null, intentAt: null };
}

/** The earlier of two times; null: none. */
export function sooner(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}
