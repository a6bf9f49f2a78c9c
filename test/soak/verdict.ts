/** What must be so of every pull request, delivery and start once nothing happens any more. */
import { Octokit } from "@octokit/rest";
import { z } from "zod";
import type { Effect, History, Pull, Store } from "../../app/store/model.ts";
import { parkedBecause } from "../../app/workflow-runs/needed.ts";
import { githubId } from "../../src/github/id.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import { addUserToken, type Delivery, labelsOn, type WorkflowRun } from "../../src/sandbox/world/index.ts";
import { violationsOf } from "../convergence/invariants.ts";
import { policyOf } from "../convergence/rules.ts";
import { Shadow } from "../convergence/shadow.ts";
import type { SoakTown } from "./town.ts";
import { commandsIn, type Walk } from "./traffic.ts";

export interface JudgeOptions {
  readonly town: SoakTown;
  readonly walks: () => readonly Walk[];
  /** Runs of workflows that were started, by their keys. */
  readonly started: () => ReadonlyMap<string, readonly WorkflowRun[]>;
}

const KNOWN_PAGE = 500;
const STEADY = ["pr-created", "ready-for-qa", "approved"] as const;

export class Judge {
  readonly #options: JudgeOptions;
  readonly #shadow: Shadow;
  readonly #policy: Policy;
  /** As it must be when it was last looked at. */
  readonly #well = new Set<Walk>();

  private constructor(options: JudgeOptions, shadow: Shadow, policy: Policy) {
    this.#options = options;
    this.#shadow = shadow;
    this.#policy = policy;
  }

  static async open(options: JudgeOptions): Promise<Judge> {
    const { town } = options;
    const [place] = town.places;
    if (place === undefined) throw new Error("expected a repository");
    const policy = policyOf(place.policy);
    const auth = addUserToken(town.sandbox.world, place.people.cleo);
    const shadow = await Shadow.open({
      now: Date.now,
      appId: town.app.id,
      client: new Octokit({ auth, baseUrl: `${town.sandbox.url}/api/v3` }),
      policies: {
        of: async () => policy,
        known: async () => policy,
        mayHaveChanged: async () => false,
        namedMayHaveChanged: async () => undefined,
      },
    });
    return new Judge(options, shadow, policy);
  }

  hear(delivery: Delivery): void {
    if (!delivery.redelivery) this.#shadow.hear(delivery);
  }

  async close(): Promise<void> {
    await this.#shadow.store.close();
  }

  /** One sentence for each thing that is not as it must be (yet). `all`: what was well before is looked at again. */
  async wrong(store: Store, taken: readonly string[], all: boolean): Promise<string[]> {
    const found = [...(await this.#unfinished(store)), ...this.#doubledStarts()];
    if (all) {
      this.#well.clear();
      found.push(...(await lost(store, taken)));
    }
    for (const walk of this.#options.walks()) {
      if (this.#well.has(walk)) continue;
      const { repository, people } = walk.place;
      // Such as that it was set aside.
      const said = await this.#wrongOf(store, walk).catch((error: unknown) => [`#${walk.pull.number} ${error}`]);
      if (said.length === 0) this.#well.add(walk);
      found.push(...said.map((each) => `${people.owner.login}/${repository.name}${each}`));
    }
    return found;
  }

  /** Nothing waits, and nothing was given up. */
  async #unfinished(store: Store): Promise<string[]> {
    const { deliveries, effects, moving, blocked } = await store.counts.all(Date.now());
    const counts: Readonly<Record<string, number>> = {
      "deliveries are not handled": deliveries.pending,
      "deliveries are dead": deliveries.dead,
      "effects are not done": effects.due + effects.parked,
      "effects are dead": effects.dead,
      "pull requests are on their way": moving,
      "pull requests are blocked": blocked,
    };
    return Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []));
  }

  #doubledStarts(): string[] {
    return [...this.#options.started()].flatMap(([key, runs]) =>
      runs.length > 1 ? [`doubled: ${runs.length} runs were started for ${key}`] : [],
    );
  }

  async #wrongOf(store: Store, walk: Walk): Promise<string[]> {
    const { place, pull } = walk;
    const rules = { policy: this.#policy, steady: STEADY };
    const found = await violationsOf(place, store, this.#shadow, pull, rules);
    const row = await store.pull({ repositoryId: place.repository.id, number: pull.number });
    if (row === null) return found;
    const effects = await store.effectsOf(row);
    const history = (await store.history(row, 1_000)).items;
    const more = [
      ...effects.flatMap((each) => wrongEffect(each, walk)),
      ...wrongAnswers(effects, walk),
      ...(await this.#wrongStarts(store, row, walk, history)),
      ...(walk.straight ? wrongWay(history, walk) : []),
    ];
    return [...found, ...more.map((each) => `#${pull.number} ${each}`)];
  }

  /** Each start that became a run is one run in GitHub's world. */
  async #wrongStarts(
    store: Store,
    row: Pull,
    { straight, hurried }: Walk,
    history: readonly History[],
  ): Promise<string[]> {
    const runs = this.#options.started();
    const starts = await store.starts.ofPull(row);
    const began = starts.filter(({ runId }) => runId !== null);
    // Where its pull request is on hold, or has gone back, it waits for somebody.
    const waiting = starts.filter((start) => start.state !== "done" && parkedBecause(start, row) === "");
    const found = waiting.map(({ key, state }) => `the start ${key} has not ended: ${state}`);
    const notThere = began.flatMap(({ key, runId }) =>
      (runs.get(key) ?? []).some(({ id }) => `${id}` === runId) ? [] : [`lost: no run was started for ${key}`],
    );
    const notes = starts.map(({ state, note, parked, conclusion }) => [state, conclusion, note, parked].join(" "));
    const once = !straight || hurried || began.length === 1 || (began.length === 0 && onlyPassed(history));
    found.push(...notThere);
    return once ? found : [...found, `has started ${began.length} runs: ${notes.join("; ")}`];
  }
}

/**
 * While the app could not write, all came together that leads to the last stage: the stage before it was passed in the
 * same move, and what a stage does on entry is not done for one that is passed.
 */
function onlyPassed(history: readonly History[]): boolean {
  const [, between, last] = history.filter(({ kind }) => kind === "moved");
  return between !== undefined && last !== undefined && between.at === last.at;
}

/** What was answered with 2xx has to be there. */
async function lost(store: Store, taken: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (let at = 0; at < taken.length; at += KNOWN_PAGE) {
    const page = taken.slice(at, at + KNOWN_PAGE);
    const known = await store.knownDeliveries(page);
    found.push(...page.filter((guid) => !known.has(guid)).map((guid) => `lost: the delivery ${guid} was answered`));
  }
  return found;
}

const written = z.object({ id: githubId, marker: z.string() });

/** What is done stands on GitHub once; nothing was given up. */
function wrongEffect({ kind, key, status, error, result }: Effect, { pull }: Walk): string[] {
  if (status !== "done") return [`${kind} ${key} is ${status}: ${error ?? ""}`];
  const put = written.safeParse(result).data;
  if (put === undefined) return [];
  const there = pull.comments.filter(({ body }) => body.startsWith(put.marker));
  return there.length === 1 ? [] : [`${kind} ${key} stands there ${there.length} times`];
}

/** Each command has been answered once. */
function wrongAnswers(effects: readonly Effect[], { place, pull }: Walk): string[] {
  const about = z.object({ commentId: z.string() });
  const answered = effects
    .filter(({ kind }) => kind === "answer")
    .map(({ payload }) => about.safeParse(payload).data?.commentId);
  return commandsIn(pull, place.app.botId).flatMap(({ id, body, reactions }) => {
    const times = answered.filter((each) => each === `${id}`).length;
    const own = reactions.filter(({ accountId }) => accountId === place.app.botId).length;
    return times === 1 && own === 1 ? [] : [`lost: ${body} (${id}) was answered ${times} times, with ${own} reactions`];
  });
}

/** A straight way is known beforehand: each stage once, each comment once, one run. */
function wrongWay(history: readonly History[], { place, pull, hurried }: Walk): string[] {
  const found: string[] = [];
  const way = history.filter(({ kind }) => kind === "moved").map(({ to }) => to);
  if (way.join(" ") !== STEADY.join(" ")) found.push(`went ${way.join(" → ")}`);
  const on = labelsOn(place.sandbox.world, pull).map(({ name }) => name);
  if (!on.includes("stage/approved")) found.push(`is at ${on.join(", ")}`);
  const own = pull.comments.filter(({ authorId }) => authorId === place.app.botId).map(({ body }) => body);
  const count = (text: string): number => own.filter((body) => body.includes(text)).length;
  // Where it went on before the comment's turn came, nobody needed that any more.
  const needless =
    hurried || onlyPassed(history) || history.some(({ reason }) => reason.startsWith("comment is not needed any more"));
  if (count("Over to") !== 1 && !(needless && count("Over to") === 0)) {
    found.push(`says “Over to” ${count("Over to")} times`);
  }
  if (count("Done") !== 1) found.push(`says “Done” ${count("Done")} times`);
  return found;
}
