/** The acts of a pull request by what they are about, as far as a moment: so that no condition looks through all. */
import { commandOfWord } from "../command-names.ts";
import { labelMatcher } from "../conditions/name-patterns.ts";
import type { Act } from "./facts.ts";

export type LabelAct = Extract<Act, { kind: "labeled" | "unlabeled" }>;
export type ReviewAct = Extract<Act, { kind: "review" | "review_dismissed" }>;
export type RunAct = Extract<Act, { kind: "workflow" | "plan" }>;
export type CommandAct = Extract<Act, { kind: "command" }>;
export type PushAct = Extract<Act, { kind: "pushed" }>;

interface Lists {
  readonly labels: Map<string, LabelAct[]>;
  readonly reviews: ReviewAct[];
  readonly runs: Map<string, RunAct[]>;
  readonly commands: Map<string, CommandAct[]>;
  readonly pushes: PushAct[];
  /** Names of labels by the pattern that they were asked for with: the same few are asked for again and again. */
  readonly matching: Map<string, readonly string[]>;
}

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
    return this.notWithdrawn(this.cut(this.lists.labels.get(name.toLowerCase())));
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

  reviews(): readonly ReviewAct[] {
    return this.notWithdrawn(this.cut(this.lists.reviews));
  }

  /** By the workflow's path or the name of its file. */
  workflows(name: string): readonly RunAct[] {
    return this.cut(this.lists.runs.get(`workflow ${name}`));
  }

  plans(name: string): readonly RunAct[] {
    return this.cut(this.lists.runs.get(`plan ${name}`));
  }

  /** Those that a policy calls by this name. */
  commands(name: string): readonly CommandAct[] {
    return this.cut(this.lists.commands.get(commandOfWord(name)));
  }

  pushes(): readonly PushAct[] {
    return this.cut(this.lists.pushes);
  }

  /** The first push after the moment; null: there is none. */
  nextPush(): PushAct | null {
    return this.lists.pushes[endOf(this.lists.pushes, this.moment)] ?? null;
  }

  private notWithdrawn<T extends LabelAct | ReviewAct>(acts: readonly T[]): readonly T[] {
    const last = acts.at(-1);
    return this.withdrawals || last === undefined || last.at < this.moment
      ? acts
      : acts.filter((act) => act.at < this.moment || !isWithdrawal(act));
  }

  private cut<T extends Act>(list: readonly T[] | undefined): readonly T[] {
    if (list === undefined) {
      return [];
    }
    const end = endOf(list, this.moment);
    return end === list.length ? list : list.slice(0, end);
  }
}

export function isWithdrawal({ kind }: Act): boolean {
  return kind === "unlabeled" || kind === "review_dismissed";
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
      const file = act.workflow.slice(act.workflow.lastIndexOf("/") + 1);
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
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.at ?? 0) <= moment) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
