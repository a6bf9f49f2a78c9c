/** One seed: a story of pull requests, told to the app by a GitHub on which nobody can rely, and what came of it. */
import type { Store } from "../../app/store/model.ts";
import { Random } from "../simulation/random.ts";
import { VirtualClock } from "./clock.ts";
import { watchGates } from "./gates.ts";
import { SimulatedGitHub, type Trouble, UNREAD_FIELDS } from "./github.ts";
import { violationsOf, watchChecks } from "./invariants.ts";
import { chosenPolicy, GIVERS, POLICIES, type PolicyName } from "./policies.ts";
import { AppProcess, type Breakage } from "./process.ts";
import { type ReplicaStory, Replicas } from "./replicas.ts";
import { Rights } from "./rights.ts";
import { Rules } from "./rules.ts";
import { CI_FILES, forgeriesBelieved } from "./runs.ts";
import type { SecondKind } from "./seconds.ts";
import { Shadow } from "./shadow.ts";
import { addCi, Story } from "./story.ts";

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly acts: number;
  readonly requests: number;
  readonly kills: number;
  readonly happened: Happened;
  /** Null: there was one process. */
  readonly replicas: ReplicaStory | null;
}

/** What the app did in a story: where nothing happens, nothing can go wrong. */
export interface Happened {
  readonly policy: PolicyName;
  /** Moves of pull requests, as its history tells. */
  readonly forward: number;
  readonly back: number;
  /** Pull requests that came to the last stage. */
  readonly last: number;
  /** Pull requests on hold at the end. */
  readonly held: number;
  /** What happened within one second. */
  readonly seconds: ReadonlyMap<SecondKind, number>;
  /** How often people did what to the rules. */
  readonly told: Readonly<Record<string, number>>;
}

export type Trace = (line: string) => void;

const START = Date.parse("2026-03-02T09:00:00Z");
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const RULES = 1_000_003;
const ACCESS = 2_000_003;
const PEOPLE = 3_000_017;
const REPLICAS = 4_000_037;
/** In so many of the steps something happens to one of several processes, whatever else does. */
const DISTURBED = 0.15;
/** In one story. */
const MOST_REINSTALLATIONS = 2;
const MOST_RIGHTS_CHANGED = 2;
/** Minutes, with an act in each: until a pull request has come on by what people said, and all is heard of that. */
const LULL = 6;
/** Minutes: long enough for two sweeps. The first look again at what rests on people comes after it, and finds nothing. */
const REST = 30;
/** Minutes: of rights and installations that changed without an event the app takes notice within an hour. */
const REST_AFTER_ACCESS = 90;
const TROUBLES: readonly [Trouble, ...Trouble[]] = [
  "502",
  "500",
  "cut",
  "lost answer",
  "lost answer",
  "429",
  "403",
  "stale",
  "unread",
  ...UNREAD_FIELDS.map((field) => `unread ${field}` as const),
];

/** `replicas`: processes on one store; default: one with a store of its own. */
export async function simulate(
  seed: number,
  trace: Trace = () => {},
  breakage: Breakage = {},
  replicas = 1,
): Promise<Outcome> {
  const random = new Random(seed);
  const clock = new VirtualClock(START);
  clock.install();
  try {
    return await new Simulation(seed, random, clock, trace, breakage, replicas).run();
  } finally {
    clock.uninstall();
  }
}

class Simulation {
  readonly #seed: number;
  readonly #random: Random;
  readonly #clock: VirtualClock;
  readonly #trace: Trace;
  readonly #breakage: Breakage;
  readonly #replicas: number;
  #kills = 0;

  constructor(seed: number, random: Random, clock: VirtualClock, trace: Trace, breakage: Breakage, replicas: number) {
    this.#replicas = replicas;
    this.#seed = seed;
    this.#random = random;
    this.#clock = clock;
    this.#trace = trace;
    this.#breakage = breakage;
  }

  async run(): Promise<Outcome> {
    const random = this.#random;
    const clock = this.#clock;
    const other = random.pick(["default", "team", "bots"] as const);
    const chosen = chosenPolicy(this.#seed, other);
    const texts = POLICIES[chosen];
    const [text] = texts;
    const byWhatIsShown = random.chance(0.25);
    const files = {
      ...(text === undefined ? {} : { ".github/stagewright.yml": text }),
      ...(chosen === "runs" ? CI_FILES : {}),
    };
    const github = new SimulatedGitHub(clock, this.#seed, files, chosen === "bots");
    const doubled: string[] = [];
    watchChecks(github, (violation) => doubled.push(violation));
    const gates = { closed: 0, skipped: 0 };
    watchGates(github, (what) => {
      gates[what] += 1;
    });
    // Of its own randomness: what is done to the rules leaves the rest of a story as it was.
    const rules = new Rules(github, new Random(this.#seed + RULES), texts);
    const shadow = await Shadow.open({
      now: clock.now,
      appId: github.app.id,
      client: github.everywhere(),
      policies: {
        of: async () => rules.policy,
        known: async () => rules.policy,
        mayHaveChanged: async () => false,
        namedMayHaveChanged: async () => undefined,
      },
      word: () => rules.word,
    });
    const several = {
      count: this.#replicas,
      random: new Random(this.#seed + REPLICAS),
      say: (line: string) => this.#say(line),
    };
    const app =
      this.#replicas === 1
        ? await AppProcess.open(clock, github, rules, this.#breakage)
        : await Replicas.open(clock, github, rules, this.#breakage, several);
    const story = new Story(github, random, {
      byWhatIsShown,
      ...GIVERS[chosen],
      runs: chosen === "runs",
      purposeful: chosen === "gated" || chosen === "people",
      ci: addCi(github.sandbox.world, github.people.owner, [github.repository]),
    });
    const rights = new Rights(github, new Random(this.#seed + PEOPLE), chosen === "people");
    let heard = 0;
    const overhear = (): void => {
      for (const delivery of github.underway.slice(heard)) {
        if (!delivery.redelivery) {
          shadow.hear(delivery);
        }
      }
      heard = github.underway.length;
    };
    const take = (index: number) => {
      overhear();
      heard -= 1;
      const [delivery] = github.underway.splice(index, 1);
      return delivery;
    };
    await app.start();
    await this.#pass(1, overhear);
    // The installation itself is heard of.
    while (github.underway.length > 0) {
      const delivery = take(0);
      if (delivery !== undefined) {
        await app.deliver(delivery);
      }
    }
    await this.#pass(90, overhear);

    let troubleLeft = 0;
    github.trouble = () => {
      if (troubleLeft === 0) {
        return null;
      }
      troubleLeft -= 1;
      const trouble = random.pick(TROUBLES);
      this.#say(`trouble: ${trouble}`);
      return trouble;
    };
    const steps = random.between(20, 90);
    const lossy = random.pick([0, 0, 0.1, 0.4]);
    let acts = 0;
    const access = new Random(this.#seed + ACCESS);
    let reinstallations = 0;
    let rightsChanged = 0;
    const byBots = chosen === "bots";
    for (let step = 0; step < steps; step += 1) {
      const chance = random.next();
      if (app instanceof Replicas && several.random.chance(DISTURBED)) {
        const { what, killed } = await app.disturb();
        this.#say(what);
        this.#kills += killed ? 1 : 0;
      }
      if (reinstallations < MOST_REINSTALLATIONS && access.chance(0.02) && (await allKnown(app.store, github, story))) {
        reinstallations += 1;
        this.#say("the app is installed anew");
        github.reinstall();
        await clock.settle();
        overhear();
      } else if (!byBots && rightsChanged < MOST_RIGHTS_CHANGED && access.chance(0.04)) {
        rightsChanged += 1;
        this.#say(rights.act());
        await clock.settle();
        overhear();
      } else if (chance < 0.3) {
        await this.#pass(random.between(1, 3), overhear);
        // Agents do several things in one second, and people of one pull request do not wait for each other.
        const atOnce = random.chance(0.3) ? random.between(2, 4) : 1;
        for (let nth = 0; nth < atOnce; nth += 1) {
          // A hold would hide what comes of people's rights.
          const told = (chosen === "people" ? null : rules.act(story.pulls)) ?? story.act();
          if (told !== null) {
            acts += 1;
            this.#say(told);
          }
        }
        await clock.settle();
        overhear();
      } else if (chance < 0.75 && github.underway.length > 0) {
        const index = random.chance(0.6) ? 0 : random.between(0, github.underway.length - 1);
        const twice = random.chance(0.1);
        const delivery = twice ? github.underway[index] : take(index);
        if (delivery !== undefined) {
          const lost = random.chance(lossy);
          this.#say(
            `${lost ? "lost" : "delivered"}: ${delivery.event}.${delivery.action} ${delivery.id}${twice ? ", to come again" : ""}`,
          );
          if (!lost && !(await app.deliver(delivery))) {
            Object.assign(delivery, { statusCode: 0, status: "failed to connect to host" });
          }
        }
      } else if (chance < 0.85) {
        await this.#pass(random.pick([1, 2, 5, 20, 200]), overhear);
      } else if (chance < 0.92) {
        troubleLeft = random.between(1, 3);
      } else if (app instanceof Replicas) {
        await this.#pass(random.between(1, 30), overhear);
      } else if (app.running && random.chance(0.5)) {
        this.#say("killed");
        this.#kills += 1;
        app.kill();
      } else if (!app.running) {
        this.#say("started again");
        await app.start();
      }
    }
    troubleLeft = 0;
    if (app instanceof Replicas || !app.running) {
      await app.start();
    }
    /** What is still on its way comes, or never does. */
    const arrive = async (): Promise<void> => {
      overhear();
      while (github.underway.length > 0) {
        const delivery = take(random.between(0, github.underway.length - 1));
        if (delivery !== undefined && !random.chance(lossy)) {
          await app.deliver(delivery);
        }
      }
    };
    await arrive();
    if (chosen === "people" || (chosen === "default" && access.chance(0.5))) {
      this.#say(rights.restore());
      for (let minute = 0; minute < LULL; minute += 1) {
        this.#say(story.carryOn(minute) ?? "all is waited for");
        await this.#rest(1, app, github, overhear, take);
      }
      // The very last of all: nothing else makes the app evaluate anything again, webhooks of its own writes neither.
      rightsChanged += 1;
      this.#say(rights.turn());
      await clock.settle();
      await arrive();
    }
    this.#say("nothing happens any more");
    await this.#rest(rightsChanged + reinstallations === 0 ? REST : REST_AFTER_ACCESS, app, github, overhear, take);
    const violations = github.faults.map((fault) => `a fault: ${fault instanceof Error ? fault.stack : String(fault)}`);
    violations.push(...doubled, ...(app instanceof Replicas ? app.violations : []));
    for (const pull of story.pulls) {
      violations.push(...(await violationsOf(github, app.store, byWhatIsShown ? null : shadow, pull, rules)));
      if (chosen === "runs" && !byWhatIsShown) {
        violations.push(...forgeriesBelieved(github, pull));
      }
    }
    const before = writes(github);
    await this.#rest(15, app, github, overhear, take);
    const more = writes(github) - before;
    if (more > 0) {
      violations.push(`${more} writes although nothing had happened`);
    }
    const requests = github.sandbox.requests.counts().total;
    const moves = await movesOf(app.store, github.repository.id, story.pulls);
    const happened = {
      policy: chosen,
      seconds: story.seconds.counts,
      ...moves,
      told: {
        ...rules.told(story.pulls),
        "gates closed by a hold": gates.closed,
        "gates skipped": gates.skipped,
        "installations anew": reinstallations,
        ...rights.told(),
      },
    };
    app.kill();
    const replicas = app instanceof Replicas ? app.story : null;
    return { replicas, seed: this.#seed, violations, acts, requests, kills: this.#kills, happened };
  }

  /** Long enough for two sweeps and for what was put off; what the app's own writes cause is heard. */
  async #rest(
    minutes: number,
    app: AppProcess | Replicas,
    github: SimulatedGitHub,
    overhear: () => void,
    take: (index: number) => SimulatedGitHub["underway"][number] | undefined,
  ): Promise<void> {
    for (let minute = 0; minute < minutes; minute += 1) {
      await this.#clock.advance(MINUTE);
      overhear();
      while (github.underway.length > 0) {
        const delivery = take(0);
        if (delivery !== undefined) {
          await app.deliver(delivery);
        }
      }
    }
  }

  async #pass(seconds: number, overhear: () => void): Promise<void> {
    await this.#clock.advance(seconds * SECOND);
    overhear();
  }

  #say(line: string): void {
    this.#trace(`${((this.#clock.now() - START) / SECOND).toFixed(0).padStart(5)} s  ${line}`);
  }
}

async function movesOf(
  store: Store,
  repositoryId: number,
  pulls: readonly { number: number }[],
): Promise<Omit<Happened, "policy" | "seconds" | "told">> {
  const sum = { forward: 0, back: 0, last: 0, held: 0 };
  for (const { number } of pulls) {
    const row = await store.pull({ repositoryId, number });
    const order = row?.evaluation?.stages.map((stage) => stage.name) ?? [];
    const moves = (await store.history({ repositoryId, number }, 1_000)).items.filter(({ kind }) => kind === "moved");
    for (const { from, to } of moves) {
      sum[order.indexOf(to ?? "") > order.indexOf(from ?? "") ? "forward" : "back"] += 1;
    }
    sum.last += moves.some(({ to }) => to !== null && to === order.at(-1)) ? 1 : 0;
    sum.held += row?.evaluation?.held ? 1 : 0;
  }
  return sum;
}

/** What was opened before an installation and never heard of is taken up only when something happens to it. */
async function allKnown(store: Store, { repository }: SimulatedGitHub, { pulls }: Story): Promise<boolean> {
  const rows = await Promise.all(pulls.map(({ number }) => store.pull({ repositoryId: repository.id, number })));
  return rows.every((row) => row !== null && row.evaluation !== null);
}

/** Requests so far that may change something. */
function writes(github: SimulatedGitHub): number {
  return github.sandbox.requests
    .entries()
    .filter(({ method, graphql }) => (graphql === null ? method !== "GET" : graphql.kind === "mutation")).length;
}
