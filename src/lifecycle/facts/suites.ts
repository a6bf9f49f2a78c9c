/**
 * The check suites of commits: whether further checks may still come. Checks come one by one, so those that are there
 * say nothing of those that are not; a suite that has not finished says that more may come.
 */
import { compareText } from "../../ids.ts";
import { keepNewest } from "./prune.ts";

/** A suite as an event or a list showed it. Those of apps that have made no check in it are not told: they never end. */
export interface SuiteSeen {
  /** GitHub's own, as text. */
  readonly id: string;
  readonly sha: string;
  /** The slug of the app that it belongs to. */
  readonly app: string;
  /** The workflow file whose run it is; null: none, or not known. */
  readonly workflow: string | null;
  readonly finished: boolean;
  /** GitHub's date of this state. */
  readonly at: number;
}

export interface SuiteFact extends Omit<SuiteSeen, "sha"> {
  /** The newest state that a list showed has this date; null: no list has shown it. */
  readonly listedAt: number | null;
}

/** What is known of one commit's suites. */
export interface CommitSuites {
  readonly sha: string;
  /** Whether GitHub was asked for all of them. */
  readonly listed: boolean;
  readonly suites: readonly SuiteFact[];
}

/** Of the newest commits; older ones count no more. */
const MOST_COMMITS = 4;
const MOST_SUITES = 500;

export interface SuitesReported {
  readonly suites: readonly SuiteSeen[];
  /** The commit all of whose suites these are; null: these are some. */
  readonly allOf: string | null;
}

/** With what was told. Each part is a maximum or a union, so the order in which it is told does not matter. */
export function mergeSuites(
  known: readonly CommitSuites[],
  { suites, allOf }: SuitesReported,
  heads: Readonly<Record<string, number>>,
): readonly CommitSuites[] {
  const shas = new Set([...suites.map(({ sha }) => sha), ...(allOf === null ? [] : [allOf])]);
  const changed = [...shas].map((sha) => {
    const before = known.find((each) => each.sha === sha);
    const added = suites.filter((each) => each.sha === sha);
    const listed = allOf === sha;
    return {
      sha,
      listed: listed || before?.listed === true,
      suites: union(
        before?.suites ?? [],
        added.map((each) => factOf(each, listed)),
      ),
    };
  });
  const all = [...known.filter(({ sha }) => !shas.has(sha)), ...changed];
  const ageOf = ({ sha }: CommitSuites): number => heads[sha] ?? Number.MAX_SAFE_INTEGER;
  return keepNewest(all, MOST_COMMITS, ageOf, ({ sha }) => sha).sort((a, b) => compareText(a.sha, b.sha));
}

function factOf({ sha: _, ...suite }: SuiteSeen, listed: boolean): SuiteFact {
  return { ...suite, listedAt: listed ? suite.at : null };
}

function union(known: readonly SuiteFact[], added: readonly SuiteFact[]): SuiteFact[] {
  const byId = new Map(known.map((suite) => [suite.id, suite]));
  for (const suite of added) {
    const before = byId.get(suite.id);
    byId.set(suite.id, before === undefined ? suite : merge(before, suite));
  }
  const kept = keepNewest(
    [...byId.values()],
    MOST_SUITES,
    ({ at }) => at,
    ({ id }) => id,
  );
  return kept.sort((a, b) => compareText(a.id, b.id));
}

/** What has finished once counts as finished while it runs again, like a check keeps its conclusion. */
function merge(a: SuiteFact, b: SuiteFact): SuiteFact {
  const listedAt = Math.max(a.listedAt ?? -1, b.listedAt ?? -1);
  return {
    id: a.id,
    app: laterOf(a.app, b.app),
    workflow: laterOf(a.workflow ?? "", b.workflow ?? "") || null,
    finished: a.finished || b.finished,
    at: Math.max(a.at, b.at),
    listedAt: listedAt < 0 ? null : listedAt,
  };
}

/** In alphabetical order: any choice will do that does not depend on which was told first. */
function laterOf(a: string, b: string): string {
  return a < b ? b : a;
}

export interface SuitesAsked {
  readonly sha: string;
  /** Only this app's matter; null: everybody's. */
  readonly app: string | null;
  /** Whether the suite with this id does not matter. */
  readonly ignored: (id: string) => boolean;
}

export interface SuitesState {
  /** The workflows and apps whose suites have not finished, each once. */
  readonly unfinished: readonly string[];
  /** What is known is not all of them, or not the newest: GitHub is to be asked. */
  readonly unsure: boolean;
}

/**
 * Whether all suites of a commit have finished. A workflow that has finished once on it runs again when another event
 * starts it, so its further runs withdraw nothing. Of rows written before suites were kept nothing is known.
 */
export function suitesOf(known: readonly CommitSuites[] | undefined, asked: SuitesAsked): SuitesState {
  const commit = known?.find((each) => each.sha === asked.sha);
  const suites = (commit?.suites ?? []).filter((suite) => asked.app === null || suite.app === asked.app);
  const over = new Set(suites.flatMap((suite) => (suite.finished && suite.workflow !== null ? [suite.workflow] : [])));
  const open = suites.filter(
    ({ id, finished, workflow }) => !finished && !(workflow !== null && over.has(workflow)) && !asked.ignored(id),
  );
  const unsure = suites.some((suite) => suite.listedAt === null || (suite.finished && suite.listedAt < suite.at));
  return {
    unfinished: [...new Set(open.map((suite) => suite.workflow ?? suite.app))],
    unsure: commit?.listed !== true || unsure,
  };
}
