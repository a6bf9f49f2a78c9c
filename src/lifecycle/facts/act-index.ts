/** The acts of a pull request by what they are about, as far as a moment: so that no condition looks through all. */
import { commandOfWord } from "../command-names.ts";
import { labelMatcher } from "../evidence/name-patterns.ts";
import type { Act } from "./facts.ts";

export type LabelAct = Extract<Act, { kind: "labeled" | "unlabeled" }>;
export type ReviewAct = Extract<Act, { kind: "review" | "review_dismissed" }>;
export type RunAct = Extract<Act, { kind: "workflow" | "plan" }>;
export type CommandAct = Extract<Act, { kind: "command" }>;
export type PushAct = Extract<Act, { kind: "pushed" }>;

/** The first acts of a list, oldest first: those until a moment. Two with the same list and length are the same. */
export interface ActPrefix<T extends Act> {
  readonly list: readonly T[];
  readonly length: number;
}

/** What was looked at: of this list so many. `length` -1: in a way that is not to be compared. */
export interface ActRead {
  readonly list: readonly Act[];
  readonly length: number;
  /** Of a kind of which some may be hidden at the moment itself, see `until`. */
  readonly withdrawable: boolean;
}

interface Lists {
  readonly labels: Map<string, LabelAct[]>;
  readonly reviews: ReviewAct[];
  readonly runs: Map<string, RunAct[]>;
  readonly commands: Map<string, CommandAct[]>;
  readonly pushes: PushAct[];
  /** Names of labels by the pattern that they were asked for with: the same few are asked for again and again. */
  readonly matching: Map<string, readonly string[]>;
  /** Where what is looked at is written down; null: nowhere. */
  reads: ActRead[] | null;
}

const NONE: readonly never[] = [];

export class ActIndex {
  private readonly lists: Lists;
  private readonly moment: number;
  private readonly withdrawals: boolean;

  private constructor(lists: Lists, moment: number, withdrawals: boolean) {
    this.lists = lists;
    this.moment = moment;
    this.withdrawals = withdrawals;
  }

  /** `acts` in order of date, as facts keep them. */
  static of(acts: readonly Act[]): ActIndex {
    const lists: Lists = {
      labels: new Map(),
      reviews: [],
      runs: new Map(),
      commands: new Map(),
      pushes: [],
      matching: new Map(),
      reads: null,
    };
    for (const act of acts) {
      sort(act, lists);
    }
    return new ActIndex(lists, Number.POSITIVE_INFINITY, true);
  }

  /**
   * What had been done at this moment, the whole of its second included; `withdrawals`: also what was taken back in
   * that second.
   */
  until(moment: number, withdrawals: boolean): ActIndex {
    return new ActIndex(this.lists, moment, withdrawals);
  }

  labels(name: string): readonly LabelAct[] {
    return this.notWithdrawn(this.lists.labels.get(name.toLowerCase()));
  }

  /** Of all labels that were ever given or taken off, in lower case: those that a pattern stands for. */
  labelNames(pattern: string): readonly string[] {
    const known = this.lists.matching.get(pattern);
    if (known !== undefined) {
      return known;
    }
    const found = [...this.lists.labels.keys()].filter(labelMatcher(pattern));
    this.lists.matching.set(pattern, found);
    return found;
  }

  reviews(): ActPrefix<ReviewAct> {
    const list = this.lists.reviews;
    const length = endOf(list, this.moment);
    if (!this.hides(list, length)) {
      this.wasRead({ list, length, withdrawable: true });
      return { list, length };
    }
    const visible = this.notWithdrawn(list);
    return { list: visible, length: visible.length };
  }

  /** By the workflow's path or the name of its file. */
  workflows(name: string): ActPrefix<RunAct> {
    return this.prefix(this.lists.runs.get(`workflow ${name}`));
  }

  plans(name: string): ActPrefix<RunAct> {
    return this.prefix(this.lists.runs.get(`plan ${name}`));
  }

  /** Those that a policy calls by this name. */
  commands(name: string): ActPrefix<CommandAct> {
    return this.prefix(this.lists.commands.get(commandOfWord(name)));
  }

  pushes(): ActPrefix<PushAct> {
    return this.prefix(this.lists.pushes);
  }

  /** The first push after the moment; null: there is none. */
  nextPush(): PushAct | null {
    return this.lists.pushes[endOf(this.lists.pushes, this.moment)] ?? null;
  }

  /** What `work` looks at. */
  recording<T>(work: () => T): { readonly value: T; readonly reads: readonly ActRead[] } {
    const outer = this.lists.reads;
    const reads: ActRead[] = [];
    this.lists.reads = reads;
    try {
      return { value: work(), reads };
    } finally {
      this.lists.reads = outer;
      outer?.push(...reads);
    }
  }

  /** Whether all that was looked at is the same at this moment. Whoever records takes it for looked at again. */
  shows(reads: readonly ActRead[]): boolean {
    for (const { list, length, withdrawable } of reads) {
      const end =
        (list[length - 1]?.at ?? this.moment) <= this.moment &&
        (length >= list.length || (list[length]?.at ?? 0) > this.moment);
      if (!end || length < 0 || (withdrawable && this.hides(list, length))) {
        return false;
      }
    }
    this.lists.reads?.push(...reads);
    return true;
  }

  private prefix<T extends Act>(list: readonly T[] | undefined): ActPrefix<T> {
    if (list === undefined) {
      return { list: NONE, length: 0 };
    }
    const length = endOf(list, this.moment);
    this.wasRead({ list, length, withdrawable: false });
    return { list, length };
  }

  private notWithdrawn<T extends LabelAct | ReviewAct>(list: readonly T[] | undefined): readonly T[] {
    if (list === undefined) {
      return NONE;
    }
    const length = endOf(list, this.moment);
    const hides = this.hides(list, length);
    this.wasRead({ list, length: hides ? -1 : length, withdrawable: true });
    const done = length === list.length ? list : list.slice(0, length);
    return hides ? done.filter((act) => act.at < this.moment || !isWithdrawal(act)) : done;
  }

  /** Whether something that was taken back in the moment's own second is not to be seen. */
  private hides(list: readonly Act[], length: number): boolean {
    for (let index = length - 1; !this.withdrawals; index -= 1) {
      const act = list[index];
      if (act === undefined || act.at < this.moment) return false;
      if (isWithdrawal(act)) return true;
    }
    return false;
  }

  private wasRead(read: ActRead): void {
    this.lists.reads?.push(read);
  }
}

export function isWithdrawal({ kind }: Act): boolean {
  return kind === "unlabeled" || kind === "review_dismissed";
}

/**
 * Index of the first act of a prefix, from `from` on, for which it holds; its length: there is none. It must hold for all
 * that come after one for which it holds.
 */
export function firstWhere<T extends Act>(
  { list, length }: ActPrefix<T>,
  holds: (act: T) => boolean,
  from = 0,
): number {
  let [low, high] = [from, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const act = list[middle];
    if (act !== undefined && !holds(act)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function sort(act: Act, lists: Lists): void {
  switch (act.kind) {
    case "labeled":
    case "unlabeled":
      push(lists.labels, act.label.toLowerCase(), act);
      break;
    case "review":
    case "review_dismissed":
      lists.reviews.push(act);
      break;
    case "workflow": {
      const file = fileOf(act.workflow);
      push(lists.runs, `workflow ${file}`, act);
      if (file !== act.workflow) {
        push(lists.runs, `workflow ${act.workflow}`, act);
      }
      break;
    }
    case "plan":
      push(lists.runs, `plan ${act.plan}`, act);
      break;
    case "command":
      push(lists.commands, act.command, act);
      break;
    case "pushed":
      lists.pushes.push(act);
      break;
    case "opened":
    case "drafted":
    case "readied":
    case "closed":
    case "reopened":
    case "base_changed":
      break;
  }
}

/** Whether `workflows(name)` holds runs of this workflow. */
export function isNamed(workflow: string, name: string): boolean {
  return workflow === name || fileOf(workflow) === name;
}

function fileOf(workflow: string): string {
  return workflow.slice(workflow.lastIndexOf("/") + 1);
}

function push<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list === undefined) {
    map.set(key, [item]);
  } else {
    list.push(item);
  }
}

/** Index after the last act that is not later than the moment. */
function endOf(list: readonly Act[], moment: number): number {
  const last = list.at(-1);
  if (last === undefined || last.at <= moment) {
    return list.length;
  }
  return firstWhere({ list, length: list.length }, (act) => act.at > moment);
}
