/** What people do: pull requests that are brought to the last stage, straight or with all that may come between. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  addComment,
  addLabelsByName,
  asApp,
  asUser,
  checkRunsOn,
  closePull,
  commitFiles,
  createCheckRun,
  dismissReview,
  labelsOn,
  openPull,
  type PullRequest,
  removeLabels,
  reopenPull,
  setDraft,
  submitReview,
} from "../../src/sandbox/world/index.ts";
import { runCi } from "../convergence/runs.ts";
import { Random } from "../simulation/random.ts";
import type { Place, SoakTown } from "./town.ts";

export interface Walk {
  readonly place: Place;
  readonly pull: PullRequest;
  /** Nothing but the way to the last stage: what comes of it is known beforehand. */
  readonly straight: boolean;
  /** It was led on before it was shown in the stage between: of what it passes through nothing is done. */
  hurried: boolean;
}

export interface TrafficOptions {
  readonly town: SoakTown;
  readonly seed: number;
  readonly pulls: number;
  /** Within this all of them are opened. Milliseconds. */
  readonly within: number;
}

/** GitHub dates by whole seconds: what happens to one pull request is further apart than that. */
const GAP_MS = [1_200, 2_600] as const;
const STRAIGHT = 0.6;
const DETOURS = [2, 6] as const;
/** Of those that are there at the end. */
const CLOSED = 0.1;
/** So long a stage is waited for. */
const WAIT_MS = 45_000;
const LOOK_EVERY_MS = 100;

type Act = (walk: Walk, random: Random) => void | Promise<void>;

export class Traffic {
  readonly walks: Walk[] = [];
  readonly #options: TrafficOptions;
  #acts = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  get acts(): number {
    return this.#acts;
  }

  /** Resolves when everybody has done what he wanted. */
  async play(): Promise<void> {
    const { town, seed, pulls, within } = this.#options;
    const { places } = town;
    const began = Date.now();
    const walking: Promise<void>[] = [];
    for (let nth = 0; nth < pulls; nth += 1) {
      await sleep(Math.max(0, began + (nth * within) / pulls - Date.now()));
      const place = places[nth % places.length];
      if (place !== undefined) walking.push(this.#walk(place, nth, new Random(seed * 100_003 + nth)));
    }
    await Promise.all(walking);
  }

  async #walk(place: Place, nth: number, random: Random): Promise<void> {
    const walk = { place, straight: random.chance(STRAIGHT), hurried: false, pull: open(place, nth) };
    this.walks.push(walk);
    const ways = waysOf(this.#options.town);
    const acts = walk.straight
      ? [ways.build, ways.label, ways.status, shown, ways.approve, ways.ci]
      : [
          ...Array.from({ length: random.between(...DETOURS) }, () => random.pick(ways.detours)),
          ...(random.chance(CLOSED) ? [ways.close] : [ways.build, ways.label, ways.approve, ways.ci]),
        ];
    for (const act of acts) {
      await sleep(random.between(...GAP_MS));
      await act(walk, random);
      this.#acts += 1;
    }
  }
}

/** Waits until it has come to the stage between. */
async function shown(walk: Walk): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  const { sandbox } = walk.place;
  while (!labelsOn(sandbox.world, walk.pull).some(({ name }) => name === "stage/ready-for-qa")) {
    if (Date.now() > deadline) {
      walk.hurried = true;
      return;
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** Comments with commands of people, as the app is to answer each once. */
export function commandsIn(pull: PullRequest, botId: number) {
  return pull.comments.filter(({ authorId, body }) => authorId !== botId && body.startsWith("/"));
}

function open({ sandbox, repository, people }: Place, nth: number): PullRequest {
  const { world } = sandbox;
  const head = `gadget-${nth}`;
  const files = { [`${head}.txt`]: "gadget\n" };
  commitFiles(world, asUser(people.rex), repository, { branch: head, message: "Add", files });
  return openPull(world, asUser(people.rex), repository, { title: `Add ${head}`, head, base: "main" });
}

function waysOf({ ci }: SoakTown) {
  const build: Act = ({ place: { sandbox, repository }, pull }) => {
    const fields = { status: "completed", conclusion: "success" } as const;
    const { world } = sandbox;
    const known = checkRunsOn(world, repository, pull.head.sha).some((run) => run.appId === ci.id);
    if (!known) {
      createCheckRun(world, asApp(world, ci), {
        ...{ repository, app: ci, headSha: pull.head.sha, name: "build" },
        ...fields,
      });
    }
  };
  const label: Act = ({ place: { sandbox, people }, pull }) => {
    if (!labelsOn(sandbox.world, pull).some(({ name }) => name === "ready-for-qa")) {
      addLabelsByName(sandbox.world, asUser(people.cleo), pull, ["ready-for-qa"]);
    }
  };
  const unlabel: Act = ({ place: { sandbox, people }, pull }) => {
    const on = labelsOn(sandbox.world, pull).filter(({ name }) => name === "ready-for-qa");
    removeLabels(sandbox.world, asUser(people.cleo), pull, on);
  };
  const say =
    (body: string): Act =>
    ({ place: { sandbox, people }, pull }) =>
      void addComment(sandbox.world, asUser(people.cleo), pull, body);
  const review =
    (state: "APPROVED" | "CHANGES_REQUESTED"): Act =>
    ({ place: { sandbox, people }, pull }) => {
      if (pull.state === "open") {
        submitReview(sandbox.world, asUser(people.tess), pull, { state, body: "said" });
      }
    };
  const dismiss: Act = ({ place: { sandbox, people }, pull }) => {
    const last = pull.reviews.findLast(({ state }) => state === "APPROVED" || state === "CHANGES_REQUESTED");
    if (last !== undefined) dismissReview(sandbox.world, asUser(people.cleo), pull, last, "no");
  };
  const push: Act = ({ place: { sandbox, repository, people }, pull }, random) => {
    if (pull.state !== "open") return;
    const files = { "more.txt": `${pull.number} ${random.next()}\n` };
    commitFiles(sandbox.world, asUser(people.rex), repository, { branch: pull.head.ref, message: "More", files });
  };
  const draft: Act = ({ place: { sandbox, people }, pull }) => {
    if (pull.state === "open") setDraft(sandbox.world, asUser(people.rex), pull, !pull.draft);
  };
  const close: Act = ({ place: { sandbox, people }, pull }) => {
    if (pull.state === "open") closePull(sandbox.world, asUser(people.rex), pull);
    else reopenPull(sandbox.world, asUser(people.rex), pull);
  };
  const ran: Act = ({ place, pull }, random) => void runCi(place, pull, random);
  const ci_: Act = ({ place, pull }) => {
    void runCi(place, pull, ALWAYS);
  };
  const detours: readonly [Act, ...Act[]] = [
    ...([build, label, label, unlabel, push, draft, close, dismiss, ran] as const),
    ...([review("APPROVED"), review("CHANGES_REQUESTED")] as const),
    ...([say("/stage status"), say("/stage hold not yet"), say("/stage unhold"), say("looks good")] as const),
  ];
  return { build, label, approve: review("APPROVED"), status: say("/stage status"), ci: ci_, close, detours };
}

/** The first of everything: an honest run that succeeds. */
const ALWAYS = new (class extends Random {
  override next(): number {
    return 0;
  }
})(0);
