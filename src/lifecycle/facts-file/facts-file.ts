/**
 * A pull request as a file tells it, for trying out a policy: how it was opened, what was done since, its checks, and
 * who may do what. Becomes the same facts that the app keeps, by the same `record`.
 */
import { parseDuration } from "../../plan/parsing/duration.ts";
import { type ActWithoutId, act, type Change, type CheckSeen, type PullKey } from "../facts/change.ts";
import type { Act, Facts, PullState } from "../facts/facts.ts";
import { ordersOfActs } from "../facts/order-in-second.ts";
import { record } from "../facts/record.ts";
import type { RunOrigin } from "../facts/run-origin.ts";
import type { SuiteSeen } from "../facts/suites.ts";
import { People } from "./people.ts";
import {
  DATE,
  DEFAULT_CHECKS_APP,
  type FactsFile,
  factsFileShape,
  type WrittenAct,
  type WrittenEvent,
  type WrittenSuite,
} from "./schema.ts";

export interface ReadFacts {
  readonly facts: Facts;
  readonly people: People;
  /** By the names of the file's `events`: the facts once that has happened as well. Throws FactsProblem. */
  readonly after: ReadonlyMap<string, () => Facts>;
}

/** What is wrong with a file of facts, one line each, without the file's name. */
export class FactsProblem extends Error {
  override readonly name = "FactsProblem";
  readonly lines: readonly string[];

  constructor(...lines: readonly string[]) {
    super(lines.join("\n"));
    this.lines = lines;
  }
}

/** Reads what `JSON.parse` made of a file. @throws FactsProblem */
export function readFactsFile(json: unknown): ReadFacts {
  const parsed = factsFileShape.safeParse(json);
  if (!parsed.success) {
    throw new FactsProblem(...parsed.error.issues.flatMap((issue) => say(issue.path, issue.message)));
  }
  const file = parsed.data;
  const known = new People(file.people ?? {});
  const opened = openedAt(file);
  const story = new Story(file, known, opened);
  const facts = story.tell(story.open(), file, []);
  return {
    facts,
    people: known,
    after: new Map(
      Object.entries(file.events ?? {}).map(([name, written]) => [
        name,
        () => story.tell(facts, written, ["events", name]),
      ]),
    ),
  };
}

/** Tells a file's acts in their order, so that each review and result finds the commit of its time. */
class Story {
  readonly #file: FactsFile;
  readonly #people: People;
  readonly #openedAt: number;
  readonly #pull: PullKey;
  #ids = 0;

  constructor(file: FactsFile, known: People, opened: number) {
    this.#file = file;
    this.#people = known;
    this.#openedAt = opened;
    this.#pull = {
      installationId: 1,
      repository: { id: 1, owner: "owner", name: "repository", defaultBranch: "main", private: false },
      number: file.pull.number,
    };
  }

  open(): Facts {
    const { pull } = this.#file;
    const author = this.#people.actor(pull.author);
    const state: PullState = {
      repository: this.#pull.repository,
      nodeId: `PR_${pull.number}`,
      title: pull.title ?? "",
      body: pull.body ?? "",
      author,
      state: "open",
      merged: false,
      draft: pull.draft ?? false,
      openedAt: this.#openedAt,
      head: { sha: pull.head, ref: pull.branch ?? "", repositoryId: pull.fork === true ? 2 : 1 },
      base: { sha: "", ref: pull.base ?? "main" },
      labels: pull.labels ?? [],
      updatedAt: this.#openedAt,
    };
    const opening = act({ kind: "opened", at: this.#openedAt, by: author });
    return record(null, { pull: this.#pull, kind: "observed", state, acts: [opening] });
  }

  /** @throws FactsProblem where a date cannot be read, or an act lies before the opening */
  tell(facts: Facts, written: WrittenEvent, path: readonly (string | number)[]): Facts {
    const dated = (written.acts ?? []).map((each, index) => ({
      each,
      at: this.#date(each.at, [...path, "acts", index, "at"]),
    }));
    let now = facts;
    const done: Act[] = [];
    for (const { each, at } of dated.sort((a, b) => a.at - b.at)) {
      const fields = this.#fields(each, at, now);
      const one = act(fields);
      done.push(one);
      now = record(now, { pull: this.#pull, kind: "acts", acts: [one] });
      const origins = originsOf(each, fields, now.base.ref);
      if (origins.length > 0) {
        now = record(now, { pull: this.#pull, kind: "run_origins", origins });
      }
    }
    // What a file tells it tells in order.
    now = record(now, { pull: this.#pull, kind: "acts", acts: [], orders: ordersOfActs(done) });
    const seen = (written.checks ?? []).map((check, index): CheckSeen => {
      const status = check.status ?? "completed";
      const app = check.app ?? DEFAULT_CHECKS_APP;
      return {
        name: check.name,
        appId: this.#people.appId(app),
        appSlug: app,
        status,
        conclusion: status === "completed" ? (check.conclusion ?? "success") : null,
        sha: check.sha ?? now.head.sha,
        at: check.at === undefined ? now.updatedAt : this.#date(check.at, [...path, "checks", index, "at"]),
        ours: false,
      };
    });
    const head = seen.filter((check) => check.sha === now.head.sha);
    const changes: Change[] = [
      {
        pull: this.#pull,
        kind: "checks",
        checks: seen,
        suites: suitesOf(written.suites ?? suitesBehind(head), now),
        allSuitesOf: now.head.sha,
      },
    ];
    if (written.files !== undefined) {
      changes.push({ pull: this.#pull, kind: "files", sha: now.head.sha, baseRef: now.base.ref, files: written.files });
    }
    return changes.reduce(record, now);
  }

  #fields(written: WrittenAct, at: number, now: Facts): ActWithoutId {
    const common = { at, by: this.#people.actor(written.by) };
    const head = now.head.sha;
    switch (written.do) {
      case "labeled":
      case "unlabeled":
        return { ...common, kind: written.do, label: written.label };
      case "review":
        return {
          ...common,
          kind: "review",
          reviewId: written.id === undefined ? this.#id() : `${written.id}`,
          state: written.state,
          sha: written.sha ?? head,
        };
      case "review_dismissed":
        return { ...common, kind: "review_dismissed", reviewId: `${written.id}` };
      case "pushed":
        return { ...common, kind: "pushed", before: head, sha: written.sha, forced: false };
      case "drafted":
      case "readied":
      case "reopened":
        return { ...common, kind: written.do };
      case "closed":
        return { ...common, kind: "closed", merged: written.merged ?? false };
      case "base_changed":
        return { ...common, kind: "base_changed", from: now.base.ref, to: written.to };
      case "command":
        return {
          ...common,
          kind: "command",
          commentId: this.#id(),
          command: written.command,
          argument: written.argument ?? "",
        };
      case "workflow":
        return {
          ...common,
          kind: "workflow",
          workflow: written.workflow,
          runId: this.#id(),
          result: written.result,
          sha: written.sha ?? head,
        };
      case "plan":
        return {
          ...common,
          kind: "plan",
          plan: written.plan,
          ...this.#planRun(written.workflow ?? "plans.yml"),
          result: written.result,
          sha: written.sha ?? head,
        };
    }
  }

  #planRun(workflow: string) {
    const runId = this.#id();
    return { run: runId, within: { workflow, runId } };
  }

  /** Apart from ids that a file gives to reviews. */
  #id(): string {
    this.#ids += 1;
    return `${1_000_000_000 + this.#ids}`;
  }

  #date(value: string | number, path: readonly (string | number)[]): number {
    const at = dateOf(value, this.#openedAt);
    if (at === null) throw new FactsProblem(...say(path, `${DATE}, got ${JSON.stringify(value)}`));
    if (at < this.#openedAt) throw new FactsProblem(...say(path, "expected a date not before the opening"));
    return at;
  }
}

/** What a file does not tell of suites follows from its checks: each app's is over when all of its checks are. */
function suitesBehind(checks: readonly CheckSeen[]): WrittenSuite[] {
  return [...new Set(checks.map(({ appSlug }) => appSlug))].map((app) => ({
    app,
    finished: checks.every((check) => check.appSlug !== app || check.status === "completed"),
  }));
}

function suitesOf(written: readonly WrittenSuite[], { head, updatedAt }: Facts): SuiteSeen[] {
  return written.map(({ app = DEFAULT_CHECKS_APP, workflow = null, finished }) => ({
    id: JSON.stringify([head.sha, app, workflow]),
    sha: head.sha,
    app,
    workflow,
    finished,
    at: updatedAt,
  }));
}

/** Who wrote what a run executed, as the file says it. */
function originsOf(written: WrittenAct, fields: ActWithoutId, baseRef: string): RunOrigin[] {
  if (fields.kind !== "workflow" && fields.kind !== "plan") return [];
  const runId = fields.kind === "plan" ? fields.within?.runId : fields.runId;
  const origin = ("origin" in written ? written.origin : undefined) ?? "started";
  if (runId === undefined) return [];
  const ofBase = origin === "unchanged" || origin === "changed";
  const detail = { changed: "the pull request changes it", untold: "GitHub did not say" };
  return [
    {
      runId,
      sha: fields.sha,
      baseRef: ofBase ? baseRef : null,
      origin,
      detail: origin === "changed" || origin === "untold" ? detail[origin] : "",
    },
  ];
}

const OPENED_BY_DEFAULT = Date.UTC(2026, 0, 1);

function openedAt(file: FactsFile): number {
  const text = file.pull.opened_at;
  const at = text === undefined ? OPENED_BY_DEFAULT : Date.parse(text);
  if (!Number.isFinite(at)) throw new FactsProblem(...say(["pull", "opened_at"], DATE));
  return at;
}

function dateOf(value: string | number, opened: number): number | null {
  const since = parseDuration(value);
  if (since !== null) return opened + since;
  const at = typeof value === "string" && /^\d{4}-\d{2}-\d{2}T/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isFinite(at) ? at : null;
}

function say(path: readonly PropertyKey[], message: string): string[] {
  const place = path.reduce<string>(
    (text, step) =>
      typeof step === "number" ? `${text}[${step}]` : text === "" ? String(step) : `${text}.${String(step)}`,
    "",
  );
  return message.split("\n").map((line) => `${place === "" ? "" : `${place}: `}${line}`);
}
