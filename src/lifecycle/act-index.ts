/** The acts of a pull request by what they are about, as far as a moment: so that no condition looks through all. */
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
}

export class ActIndex {
  private readonly lists: Lists;
  private readonly moment: number;

  private constructor(lists: Lists, moment: number) {
    this.lists = lists;
    this.moment = moment;
  }

  /** `acts` in order of date, as facts keep them. */
  static of(acts: readonly Act[]): ActIndex {
    const lists: Lists = { labels: new Map(), reviews: [], runs: new Map(), commands: new Map(), pushes: [] };
    for (const act of acts) {
      sort(act, lists);
    }
    return new ActIndex(lists, Number.POSITIVE_INFINITY);
  }

  /** What had been done at this moment, the whole of its second included. */
  until(moment: number): ActIndex {
    return new ActIndex(this.lists, moment);
  }

  labels(name: string): readonly LabelAct[] {
    return this.cut(this.lists.labels.get(name.toLowerCase()));
  }

  reviews(): readonly ReviewAct[] {
    return this.cut(this.lists.reviews);
  }

  /** By the workflow's path or the name of its file. */
  workflows(name: string): readonly RunAct[] {
    return this.cut(this.lists.runs.get(`workflow ${name}`));
  }

  plans(name: string): readonly RunAct[] {
    return this.cut(this.lists.runs.get(`plan ${name}`));
  }

  commands(name: string): readonly CommandAct[] {
    return this.cut(this.lists.commands.get(name));
  }

  pushes(): readonly PushAct[] {
    return this.cut(this.lists.pushes);
  }

  /** The first push after the moment; null: there is none. */
  nextPush(): PushAct | null {
    return this.lists.pushes[endOf(this.lists.pushes, this.moment)] ?? null;
  }

  private cut<T extends Act>(list: readonly T[] | undefined): readonly T[] {
    if (list === undefined) {
      return [];
    }
    const end = endOf(list, this.moment);
    return end === list.length ? list : list.slice(0, end);
  }
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
