/**
 * In which order the acts of one second happened. GitHub's dates have whole seconds, and webhooks come in any order:
 * only its timeline says what came first. Where it was not asked, or does not say, what takes away counts as later than
 * what grants.
 */
import { compareText } from "../../ids.ts";
import type { Act, Actor } from "./act.ts";

/** One second of GitHub's timeline, read when it was over. */
export interface OrderInSecond {
  readonly at: number;
  /** What was done in it, in order, as `placeKey` names it; of what was done twice, the last time. */
  readonly keys: readonly string[];
  /** Who gave a label last in that second, by the giving's key. */
  readonly givers: Readonly<Record<string, Actor>>;
  /** Ids of the acts that were known when it was read: those without a place remain without. */
  readonly asked: readonly string[];
}

/** Labels of ours that a read-back showed absent: given before it, they are not the ones that are on now. */
export interface Absence {
  readonly label: string;
  /** GitHub's date of that read-back. */
  readonly at: number;
  /** Ids of the resets that were known before it. */
  readonly after: readonly string[];
}

/** One line of GitHub's timeline. */
export interface TimelineItem {
  readonly key: string;
  /** Null: a commit, which has no date of its own. */
  readonly at: number | null;
  readonly acts: readonly Act[];
}

/** Stands for the giver of a label that several people gave in one second: nobody whom a policy can name. */
export const SEVERAL: Actor = { kind: "user", id: -1, login: "one of several" };

/** Seconds kept of one pull request. */
const MOST_SECONDS = 200;
const MOST_ABSENCES = 100;
/** Places in one second; the fraction of a millisecond that each takes can be told apart in any date. */
const PLACES = 1_024;
const FIRST_PLACE = 2;
const MOST_KEYS = 900;
/** Of what grants, where its place is not known; and of what takes away. */
const EARLY = 1;
const LATE = 1_000;

/** How the timeline names an act; null: it does not tell of such acts. */
export function placeKey(act: Act): string | null {
  switch (act.kind) {
    case "opened":
    case "workflow":
    case "plan":
      return null;
    case "pushed":
      return commitKey(act.sha);
    case "command":
      return commentKey(act.commentId);
    default:
      return act.id;
  }
}

export function commitKey(sha: string): string {
  return `commit:${sha}`;
}

export function commentKey(id: string): string {
  return `comment:${id}`;
}

/** The part of a timeline, oldest first, that tells of these seconds. `known`: all acts heard of so far. */
export function ordersOf(
  items: readonly TimelineItem[],
  seconds: readonly number[],
  known: readonly Act[],
): OrderInSecond[] {
  return seconds.map((at) => {
    const asked = known.filter((act) => act.at === at).map((act) => act.id);
    const first = items.findIndex((item) => item.at === at);
    if (first < 0) {
      return { at, keys: [], givers: {}, asked };
    }
    let [from, to] = [first, items.findLastIndex((item) => item.at === at) + 1];
    // Commits have no date: those beside the second may have been pushed in it.
    while (items[from - 1]?.at === null) from -= 1;
    while (items[to]?.at === null) to += 1;
    const within = items.slice(from, to);
    const keys = within.map((item) => item.key);
    const last = keys.filter((key, index) => keys.lastIndexOf(key) === index).slice(-MOST_KEYS);
    const given = within.flatMap(({ key, acts }) =>
      acts.flatMap((act) => (act.kind === "labeled" ? [[key, act.by]] : [])),
    );
    return { at, keys: last, givers: Object.fromEntries(given), asked };
  });
}

/** Of acts told in the order in which they were done. */
export function ordersOfActs(acts: readonly Act[]): OrderInSecond[] {
  const items = acts.flatMap((act): TimelineItem[] => {
    const key = placeKey(act);
    return key === null ? [] : [{ key, at: act.at, acts: [act] }];
  });
  const dates = items.map((item) => item.at ?? 0);
  return ordersOf(items, [...new Set(dates.filter((at, index) => dates.indexOf(at) !== index))], acts);
}

/** What was read of a second later, or by whom more was known, says as much or more. */
export function mergeOrders(known: readonly OrderInSecond[], added: readonly OrderInSecond[]): OrderInSecond[] {
  const byAt = new Map(known.map((each) => [each.at, each]));
  for (const each of added) {
    const before = byAt.get(each.at);
    byAt.set(each.at, before === undefined ? each : joined(before, each));
  }
  return [...byAt.values()].sort((a, b) => a.at - b.at).slice(-MOST_SECONDS);
}

function joined(a: OrderInSecond, b: OrderInSecond): OrderInSecond {
  const text = (each: OrderInSecond): string => JSON.stringify([each.keys, Object.entries(each.givers).sort()]);
  const more = a.keys.length - b.keys.length || compareText(text(a), text(b));
  return { ...(more > 0 ? a : b), asked: [...new Set([...a.asked, ...b.asked])].sort() };
}

/** The newest of each label. */
export function mergeAbsences(known: readonly Absence[], added: readonly Absence[]): Absence[] {
  const byLabel = new Map<string, Absence>();
  for (const each of [...known, ...added]) {
    const before = byLabel.get(each.label);
    if (before === undefined || before.at < each.at) {
      byLabel.set(each.label, { ...each, after: [...each.after].sort() });
    } else if (before.at === each.at) {
      byLabel.set(each.label, { ...each, after: [...new Set([...before.after, ...each.after])].sort() });
    }
  }
  const newest = [...byLabel.values()].sort((a, b) => b.at - a.at || compareText(a.label, b.label));
  return newest.slice(0, MOST_ABSENCES).sort((a, b) => compareText(a.label, b.label));
}

/** As facts have them. */
interface Ordered {
  readonly acts: readonly Act[];
  readonly orders?: readonly OrderInSecond[];
}

/** Acts as facts keep them: by date, then by their place in the second; where they have none, what takes away is last. */
export function inOrder(acts: readonly Act[], orders: readonly OrderInSecond[]): Act[] {
  const placeOf = placesIn(orders);
  const byAt = new Map(orders.map((order) => [order.at, order]));
  return acts
    .map((act) => ({ act: withGiver(act, byAt.get(act.at)), place: placeOf(act) }))
    .sort((a, b) => a.act.at - b.act.at || a.place - b.place || compareText(a.act.id, b.act.id))
    .map(({ act }) => act);
}

/**
 * The same acts with the place in their second as a fraction of their date, so that whatever compares dates compares
 * places, too. For the evaluation alone: what it says outwards has whole dates again (`whole`).
 */
export function withPlacesInSecond<T extends Ordered>(facts: T): T {
  const placeOf = placesIn(facts.orders ?? []);
  return { ...facts, acts: facts.acts.map((act) => ({ ...act, at: act.at + placeOf(act) / PLACES })) };
}

/** The date without the place. */
export function wholeDate(moment: number): number {
  return Math.floor(moment);
}

/** What a reset's place was; `LATE` where it is not known. */
export function placeOfMoment(moment: number): number {
  return Math.round((moment - Math.floor(moment)) * PLACES);
}

/** From when something holds that lets nothing pass: where its place is not known, from before the second's acts. */
export function holdsFrom(moment: number): number {
  return placeOfMoment(moment) === LATE ? heldFrom(wholeDate(moment)) : moment;
}

/** Of a hold that is no act of this pull request: before all that was done to it in that second, but its opening. */
export function heldFrom(at: number): number {
  return at + EARLY / 2 / PLACES;
}

/** Whether the act was in its second at or before this place. */
export function isAtOrBefore(act: Act, place: number, orders: readonly OrderInSecond[]): boolean {
  return placesIn(orders)(act) <= place;
}

/** Whether GitHub's timeline said when in its second the act happened. */
export function isPlaced(act: Act, orders: readonly OrderInSecond[]): boolean {
  const key = placeKey(act);
  return key !== null && orders.some((order) => order.at === wholeDate(act.at) && order.keys.includes(key));
}

/** Whether the timeline of that second was read. */
export function isRead(at: number, orders: readonly OrderInSecond[]): boolean {
  return orders.some((order) => order.at === at);
}

/**
 * Seconds whose order makes a difference and was not asked for yet, oldest first. `counts`: whether an act of a stage
 * label is a command.
 */
export function unorderedSeconds(
  { acts, orders = [], absences = [] }: Ordered & { readonly absences?: readonly Absence[] },
  counts: (act: Act) => boolean,
): number[] {
  const found: number[] = [];
  const removedAt = new Set(absences.map((each) => each.at));
  for (let start = 0, end = 0; start < acts.length; start = end) {
    const at = acts[start]?.at ?? 0;
    end = start + 1;
    while (end < acts.length && acts[end]?.at === at) end += 1;
    if (end - start === 1 && !removedAt.has(at)) {
      continue;
    }
    const order = orders.find((each) => each.at === at);
    const open = (act: Act): boolean => {
      const key = placeKey(act);
      return key !== null && order?.keys.includes(key) !== true && order?.asked.includes(act.id) !== true;
    };
    const second = acts.slice(start, end).filter(counts);
    const unclear = second.some(
      (act) => open(act) && (isAlone(act, absences) || second.some((other) => conflict(act, other))),
    );
    if (unclear) {
      found.push(at);
    }
  }
  return found;
}

/** Its giver or whether it came before its own removal is not known, whatever else was done in that second. */
function isAlone(act: Act, absences: readonly Absence[]): boolean {
  return (
    act.kind === "labeled" &&
    (act.by.id === SEVERAL.id || absences.some(({ label, at }) => at === act.at && label === act.label.toLowerCase()))
  );
}

/** Whether it matters which of two acts of one second came first. */
function conflict(a: Act, b: Act): boolean {
  return a.id !== b.id && (contradict(a, b) || (grants(a) && closes(b)) || (closes(a) && grants(b)));
}

const OPPOSITES: Readonly<Partial<Record<Act["kind"], Act["kind"]>>> = {
  labeled: "unlabeled",
  unlabeled: "labeled",
  drafted: "readied",
  readied: "drafted",
  closed: "reopened",
  reopened: "closed",
  base_changed: "base_changed",
  review: "review",
};

function contradict(a: Act, b: Act): boolean {
  if (a.kind === "command" && b.kind === "command") {
    return HOLDS.has(a.command) && HOLDS.has(b.command) && a.commentId !== b.commentId;
  }
  if (OPPOSITES[a.kind] !== b.kind) {
    return false;
  }
  if ("label" in a && "label" in b) {
    return a.label.toLowerCase() === b.label.toLowerCase();
  }
  return a.kind !== "review" || b.kind !== "review" || (a.by.id === b.by.id && a.state !== b.state);
}

const HOLDS: ReadonlySet<string> = new Set(["hold", "unhold"]);

function grants(act: Act): boolean {
  switch (act.kind) {
    case "labeled":
      return true;
    case "review":
      return act.state !== "commented";
    case "command":
      return !SAID_ONLY.has(act.command) && act.command !== "hold" && act.command !== "back";
    default:
      return false;
  }
}

/** Commands that move nothing. */
const SAID_ONLY: ReadonlySet<string> = new Set(["status", "help", "retry"]);

function closes(act: Act): boolean {
  switch (act.kind) {
    case "pushed":
    case "drafted":
    case "reopened":
    case "base_changed":
      return true;
    case "command":
      return act.command === "hold" || act.command === "back" || act.command === "to";
    default:
      return false;
  }
}

function placesIn(orders: readonly OrderInSecond[]): (act: Act) => number {
  const byAt = new Map(
    orders.map(({ at, keys }) => [at, new Map(keys.map((key, index) => [key, FIRST_PLACE + index]))]),
  );
  return (act) => {
    if (act.kind === "opened") {
      return 0;
    }
    const keys = byAt.get(act.at);
    const key = keys === undefined ? null : placeKey(act);
    const place = key === null ? undefined : keys?.get(key);
    return place ?? (isLate(act) ? LATE : EARLY);
  };
}

/** Where its place is not known it counts as done after the others. */
function isLate(act: Act): boolean {
  switch (act.kind) {
    case "unlabeled":
    case "review_dismissed":
    case "closed":
      return true;
    case "command":
      return act.command === "hold" || act.command === "back";
    default:
      return closes(act);
  }
}

function withGiver(act: Act, order: OrderInSecond | undefined): Act {
  const by = act.kind === "labeled" ? order?.givers[act.id] : undefined;
  return by === undefined || (by.id === act.by.id && by.kind === act.by.kind) ? act : { ...act, by };
}
