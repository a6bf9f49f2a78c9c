/**
 * Keeps what is known of a pull request, in whatever order it is told. Every part is the maximum or the union of
 * what was told (newest observation, acts by id, newest state of each check), and the current states follow from
 * these, so doubled and reordered changes end in the same facts.
 */
import { compareText } from "../../ids.ts";
import { canonicalJson } from "../../plan/canonical.ts";
import { type Change, type PullKey, UNKNOWN_ACTOR } from "./change.ts";
import { mergeChecks, ofNewestHeads } from "./checks.ts";
import type { Act, Facts, FileList, Observed, PullState, Reset } from "./facts.ts";
import { type Absence, inOrder, mergeAbsences, mergeOrders, SEVERAL } from "./order-in-second.ts";
import { keepNewest, pruneActs } from "./prune.ts";
import { mergeOrigins } from "./run-origin.ts";
import { mergeSuites, type SuiteSeen } from "./suites.ts";

const MOST_HEADS = 500;
const MOST_RESETS = 200;
/** Lists of changed files: the head's, and some that came before their push or are about to be out of date. */
const MOST_FILE_LISTS = 4;

/**
 * The facts after a change. `facts` null: the first that is heard of this pull request. A change that tells nothing
 * new returns equal facts (`sameFacts`).
 */
export function record(facts: Facts | null, change: Change): Facts {
  const before = facts ?? blank(change.pull);
  const known = { ...before, installationId: change.pull.installationId };
  switch (change.kind) {
    case "observed":
      return derive({
        ...observe(known, { ...change.state, from: "webhook" }, null),
        acts: [...known.acts, ...change.acts],
      });
    case "acts":
      return derive({
        ...known,
        acts: [...known.acts, ...change.acts],
        ...(change.orders === undefined ? {} : { orders: mergeOrders(known.orders ?? [], change.orders) }),
      });
    case "checks":
      return derive({
        ...withSuites(known, change.suites ?? [], change.allSuitesOf ?? null),
        checks: mergeChecks(known.checks, change.checks),
      });
    case "files":
      return derive({ ...known, fileLists: mergeFiles(known.fileLists, change) });
    case "run_origins":
      return derive({ ...known, runOrigins: mergeOrigins(known.runOrigins ?? [], change.origins) });
    case "reset":
      return derive({ ...known, resets: mergeResets(known.resets, change.reset) });
    case "snapshot": {
      const state = change.state;
      const list = change.files === null ? null : { sha: state.head.sha, baseRef: state.base.ref, files: change.files };
      const seen = observe(
        known,
        { ...state, from: "snapshot", ...(change.asOf === undefined ? {} : { asOf: change.asOf }) },
        change.headAt,
      );
      return derive({
        ...(change.suites == null ? seen : withSuites(seen, change.suites, state.head.sha)),
        acts: [...known.acts, ...change.acts],
        checks: change.checks === null ? known.checks : mergeChecks(known.checks, change.checks),
        fileLists: list === null ? known.fileLists : mergeFiles(known.fileLists, list),
        ...(change.removed === undefined ? {} : { absences: absencesAfter(known, change.removed, state.updatedAt) }),
      });
    }
    case "timeline":
      return derive({
        ...observe(known, { ...change.state, from: "snapshot", asOf: change.asOf }, null),
        acts: [...known.acts, ...change.acts],
        orders: mergeOrders(known.orders ?? [], change.orders),
      });
  }
}

function blank(pull: PullKey): Facts {
  return {
    installationId: pull.installationId,
    repository: pull.repository,
    number: pull.number,
    nodeId: "",
    title: "",
    body: "",
    author: UNKNOWN_ACTOR,
    state: "open",
    merged: false,
    draft: false,
    openedAt: 0,
    head: { sha: "", ref: "", repositoryId: null, at: 0 },
    base: { sha: "", ref: "" },
    labels: [],
    updatedAt: 0,
    files: null,
    acts: [],
    resets: [],
    checks: [],
    observed: null,
    heads: {},
    fileLists: [],
  };
}

function absencesAfter(
  { absences = [] }: Facts,
  { labels, after }: { readonly labels: readonly string[]; readonly after: readonly string[] },
  at: number,
): readonly Absence[] {
  return mergeAbsences(
    absences,
    labels.map((label) => ({ label: label.toLowerCase(), at, after })),
  );
}

function observe(facts: Facts, seen: Observed, headAt: number | null): Facts {
  const at = Math.min(headAt ?? seen.updatedAt, seen.updatedAt);
  const known = facts.heads[seen.head.sha];
  const heads = { ...facts.heads, [seen.head.sha]: known === undefined ? at : Math.min(known, at) };
  const newer = facts.observed === null || compareObserved(seen, facts.observed) > 0;
  return { ...facts, heads: boundHeads(heads), observed: newer ? seen : facts.observed };
}

/** By GitHub's date; at the same date a snapshot knows more than a payload made on the way, and a later one still more. */
function compareObserved(a: Observed, b: Observed): number {
  return (
    a.updatedAt - b.updatedAt ||
    Number(a.from === "snapshot") - Number(b.from === "snapshot") ||
    (a.asOf ?? 0) - (b.asOf ?? 0) ||
    compareText(canonicalJson(a), canonicalJson(b))
  );
}

/** Everything that follows from what was told, computed anew. */
function derive(before: Facts): Facts {
  const fileLists = boundFiles(before.fileLists, before.heads);
  const facts = { ...before, fileLists, checks: ofNewestHeads(before.checks, before.heads, before.observed) };
  const known = mergeActs(facts.acts);
  const acts = pruneActs(inOrder([...known, ...unheardPushes(facts.heads, known)], facts.orders ?? []));
  const { observed } = facts;
  if (observed === null) {
    return { ...facts, acts };
  }
  const { from: _, asOf = 0, ...state } = observed;
  const now = applyActs(state, acts, Math.max(asOf, state.updatedAt));
  const list = facts.fileLists.find((each) => each.sha === now.head.sha && each.baseRef === now.base.ref);
  return { ...facts, ...now, files: list?.files ?? null, acts };
}

/** The observed states with all acts that are not older than the observation. */
function applyActs(
  state: PullState,
  acts: readonly Act[],
  seenAt: number,
): Omit<PullState, "head"> & Pick<Facts, "head"> {
  const since = acts.filter((act) => act.at >= seenAt);
  let { draft, merged, base } = state;
  let open = state.state;
  const labels = new Map(state.labels.map((name) => [name.toLowerCase(), name]));
  for (const act of since) {
    switch (act.kind) {
      case "labeled":
        labels.set(act.label.toLowerCase(), act.label);
        break;
      case "unlabeled":
        labels.delete(act.label.toLowerCase());
        break;
      case "drafted":
        draft = true;
        break;
      case "readied":
        draft = false;
        break;
      case "closed":
        open = "closed";
        merged = merged || act.merged;
        break;
      case "reopened":
        open = "open";
        break;
      case "base_changed":
        base = { ...base, ref: act.to };
        break;
      default:
        break;
    }
  }
  const sha = lastPush(since) ?? state.head.sha;
  const arrivals = acts.filter((act) => act.kind === "pushed" && act.sha === sha).map((act) => act.at);
  return {
    ...state,
    head: { ...state.head, sha, at: arrivals.length > 0 ? Math.max(...arrivals) : state.openedAt },
    base,
    draft,
    merged,
    state: open,
    labels: [...labels.values()].sort(compareText),
    updatedAt: Math.max(state.updatedAt, ...since.map((act) => act.at)),
  };
}

/** The commit of the newest push; of several with one date, the one from which no other of them starts. */
function lastPush(acts: readonly Act[]): string | null {
  const pushes = acts.filter((act) => act.kind === "pushed");
  const newest = pushes.filter((push) => push.at === pushes.at(-1)?.at);
  const last = newest.find((push) => !newest.some((other) => other !== push && other.before === push.sha));
  return (last ?? newest.at(-1))?.sha ?? null;
}

/**
 * Pushes that nobody told of: heads that were seen, but whose event never came. They count as pushes by nobody
 * known. The first head of all was not pushed to the pull request: it was opened with it.
 */
function unheardPushes(heads: Readonly<Record<string, number>>, acts: readonly Act[]): Act[] {
  const pushed = new Set<string>();
  const seen = new Map(Object.entries(heads));
  for (const act of acts) {
    if (act.kind === "pushed") {
      pushed.add(act.sha);
      // What a push replaced was a head before it.
      seen.set(act.before, Math.min(seen.get(act.before) ?? act.at, act.at));
    }
  }
  const unheard = [...seen]
    .filter(([sha]) => !pushed.has(sha))
    .sort(([a, at], [b, other]) => at - other || compareText(a, b));
  return unheard.slice(1).map(([sha, at], index) => ({
    kind: "pushed",
    id: `${UNHEARD}${sha}`,
    at,
    by: UNKNOWN_ACTOR,
    before: unheard[index]?.[0] ?? "",
    sha,
    forced: false,
  }));
}

const UNHEARD = "unheard-push:";

/** One act for each id, without those that only stood in for what has been told since. */
function mergeActs(acts: readonly Act[]): Act[] {
  const byId = new Map<string, Act>();
  for (const act of acts) {
    const known = byId.get(act.id);
    if (!act.id.startsWith(UNHEARD)) {
      byId.set(act.id, known === undefined ? act : oneOf(act, known));
    }
  }
  return [...byId.values()];
}

/** Of two acts with one id. What was once granted is not forgotten when the same is heard again. */
function oneOf(a: Act, b: Act): Act {
  const kept = canonicalJson(a) > canonicalJson(b) ? a : b;
  if (kept.kind === "labeled" && differ(a.by, b.by)) {
    return { ...kept, by: SEVERAL };
  }
  return [a, b].some(isGranted) && kept.kind === "command" ? { ...kept, granted: true } : kept;
}

/** Whether two people did it. Of somebody who is not known nothing can be said. */
function differ(a: Act["by"], b: Act["by"]): boolean {
  const known = a.id !== UNKNOWN_ACTOR.id && b.id !== UNKNOWN_ACTOR.id;
  return a.id === SEVERAL.id || b.id === SEVERAL.id || (known && (a.id !== b.id || a.kind !== b.kind));
}

function isGranted(act: Act): boolean {
  return act.kind === "command" && act.granted === true;
}

function mergeFiles(known: readonly FileList[], seen: FileList): FileList[] {
  const list: FileList = { sha: seen.sha, baseRef: seen.baseRef, files: [...seen.files].sort(compareText) };
  const same = known.find((each) => fileKey(each) === fileKey(list));
  const kept = same !== undefined && canonicalJson(same) > canonicalJson(list) ? same : list;
  return [...known.filter((each) => each !== same), kept];
}

/** The lists of the newest heads; a commit that is not known yet is about to become one. */
function boundFiles(lists: readonly FileList[], heads: Readonly<Record<string, number>>): FileList[] {
  const kept = keepNewest(lists, MOST_FILE_LISTS, (list) => heads[list.sha] ?? Number.MAX_SAFE_INTEGER, fileKey);
  return kept.sort((a, b) => compareText(fileKey(a), fileKey(b)));
}

function fileKey(list: FileList): string {
  return JSON.stringify([list.sha, list.baseRef]);
}

function mergeResets(known: readonly Reset[], reset: Reset): Reset[] {
  const all = [...known.filter((each) => each.id !== reset.id), reset];
  return keepNewest(
    all,
    MOST_RESETS,
    (each) => each.at,
    (each) => each.id,
  ).sort((a, b) => a.at - b.at || compareText(a.id, b.id));
}

/** As they were where nothing was told. */
function withSuites(facts: Facts, suites: readonly SuiteSeen[], allOf: string | null): Facts {
  return suites.length === 0 && allOf === null
    ? facts
    : { ...facts, suites: mergeSuites(facts.suites ?? [], { suites, allOf }, facts.heads) };
}

function boundHeads(heads: Readonly<Record<string, number>>): Record<string, number> {
  const kept = keepNewest(
    Object.entries(heads),
    MOST_HEADS,
    ([, at]) => at,
    ([sha]) => sha,
  );
  return Object.fromEntries(kept.sort(([a], [b]) => compareText(a, b)));
}
