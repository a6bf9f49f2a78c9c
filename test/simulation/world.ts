/** One simulated run: agents, a network that loses, doubles, delays and reorders, a coordinator that crashes. */

import { GRACE_MS } from "../../src/agent/process/ending.ts";
import type { RunState } from "../../src/run/machine.ts";
import { itemAt, itemsOf } from "../../src/run/persistent-array.ts";
import { type Absent, agentIdentity, type RunEvent } from "../../src/run/types.ts";
import { created } from "../run/builders.ts";
import { ModelAgent, type Surroundings } from "./agent.ts";
import { attendedKinds } from "./attended.ts";
import { checkpointKinds } from "./checkpoints.ts";
import { laterTasksFrom } from "./generated.ts";
import { Oracle } from "./invariants.ts";
import type { Machine } from "./machine.ts";
import { ballotOf } from "./quorums.ts";
import { Random } from "./random.ts";
import { type GoingOn, hostOf, resumingOf, stateLeft } from "./resumed.ts";
import { type Scenario, scenarioOf } from "./scenario.ts";

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly status: RunState["status"];
  readonly events: number;
  /** Simulated milliseconds. */
  readonly ms: number;
  readonly message: string;
  /** What befell it, of which the runner counts how often it was played. */
  readonly kinds: ReadonlySet<string>;
}

const START = 1_700_000_000_000;
/** Far more than any run of these plans takes: an end that only a crowd of events leads to is none. */
const MOST_EVENTS = 30_000;
/** How many violations of one run are told. */
const TOLD = 5;

/** Told every step; null: nobody listens. */
type Log = ((line: string) => void) | null;

export function simulate(seed: number, machine: Machine, log: Log = null): Outcome {
  const resuming = resumingOf(seed, scenarioOf(new Random(seed), seed).agents);
  if (resuming === null) return new World(seed, machine, log).run();
  const before = new World(seed, machine, log);
  const first = before.run(resuming.goneAtMs);
  if (first.violations.length > 0) return first;
  log?.("         the run is gone; another goes on from its state");
  const carried = stateLeft(before.state);
  const second = new World(seed, machine, log, { carried, hosts: resuming.hosts }).run();
  return { ...second, events: first.events + second.events, kinds: first.kinds.union(second.kinds) };
}

class World {
  readonly #seed: number;
  readonly #machine: Machine;
  readonly #log: Log;
  #random: Random;
  /** By itself, see `repeatsOf`. */
  readonly #rounds: Random;
  readonly #votes: Random;
  readonly #scenario: Scenario;
  readonly #oracle: Oracle;
  readonly #agents: ModelAgent[] = [];
  readonly #queue = new Queue();
  readonly #violations: string[] = [];
  readonly #kinds = new Set<string>();
  #now = START;
  #events = 0;
  #state: RunState;
  /** What survives a crash. */
  #kept: RunState;
  #isUp = true;
  #tick = 0;

  constructor(seed: number, machine: Machine, log: Log, from: GoingOn | null = null) {
    this.#seed = seed;
    this.#machine = machine;
    this.#log = log;
    this.#random = new Random(seed);
    this.#rounds = new Random(seed ^ 0x2545f491);
    this.#votes = new Random(seed ^ 0x1b873593);
    this.#scenario = scenarioOf(this.#random, seed);
    const { plan, agents, selection } = this.#scenario;
    this.#oracle = new Oracle(plan, machine, from);
    const carried = from === null ? {} : { carried: from.carried };
    if (from !== null) {
      this.#kinds.add("a state that they go on from");
      if (from.carried.resumed?.finished.length !== 0) this.#kinds.add("finished stages in that state");
      // Another life has other fates.
      this.#random = new Random(seed ^ 0x3243f6a8);
    }
    this.#state = machine.apply(null, { ...created(plan, agents, START), selection, ...carried });
    this.#kept = this.#state;
    const around: Surroundings = {
      plan,
      now: () => this.#now,
      later: (ms, what) => this.#queue.add(this.#now + ms, what),
      tell: (event, from) => this.#tell(event, from),
      fate: () => this.#fate(),
      vote: () => ballotOf(this.#votes),
      hostOf: (index) => from?.hosts[`agent-${index}`] ?? hostOf(index),
      laterTasks: (agent) => laterTasksFrom(this.#votes, agent.name),
      giveUpMs: (agent, attempt, isOver) => this.#giveUpMs(agent, attempt, isOver),
      onExcluded: (agent) => {
        const { roster, selection } = this.#state;
        const about = { agent: agent.name, group: roster?.agents ?? [], leftOut: true };
        const stages = machine.ownCleanup(plan, selection, about);
        this.#say(() => `${agent.name} cleans up: ${stages.map(({ name }) => name).join(", ")}`);
        this.#note(this.#oracle.cleansUp(agent.name, stages, this.#state));
      },
      onStart: (agent, stage, attempt, startAt) => {
        this.#say(() => `${agent.name} starts ${attempt}`);
        this.#note(this.#oracle.started(agent.name, stage, attempt, startAt, this.#now));
      },
    };
    for (let index = 0; index < agents; index++) {
      const agent = new ModelAgent(`agent-${index}`, index, around);
      this.#agents.push(agent);
      if (this.#scenario.coming[index] === "never") {
        this.#kinds.add("agents that never come");
        this.#sayAbsent(agent, this.#random.between(0, 20_000));
      } else
        this.#queue.add(START + this.#random.between(0, this.#random.chance(0.1) ? 40_000 : 2_000), () =>
          agent.revive(),
        );
    }
    this.#planFaults();
    this.#armTick();
  }

  get state(): RunState {
    return this.#state;
  }

  /** @param goneAtMs when everybody of it is gone, done or not: milliseconds from its start */
  run(goneAtMs: number | null = null): Outcome {
    const until = START + (goneAtMs ?? this.#scenario.boundMs);
    for (let next = this.#queue.take(); next !== null && next.at <= until; next = this.#queue.take()) {
      this.#now = Math.max(this.#now, next.at);
      next.what();
      if (this.#events > MOST_EVENTS) break;
      if (this.#violations.length >= TOLD || (isOver(this.#state) && this.#now > START + this.#scenario.faults.untilMs))
        break;
    }
    if (goneAtMs === null && !isOver(this.#state) && this.#violations.length === 0) {
      this.#note([`it did not end within ${this.#scenario.boundMs / 1_000} s and ${MOST_EVENTS} events`]);
    }
    this.#note(this.#oracle.ended(this.#state));
    const { status, failure } = this.#state;
    return {
      seed: this.#seed,
      violations: this.#violations,
      status,
      events: this.#events,
      ms: this.#now - START,
      message: failure?.reason ?? "",
      kinds: this.#kinds,
    };
  }

  #tell(event: Exclude<RunEvent, { type: "created" }>, from: ModelAgent): void {
    const { drop, double } = this.#scenario.faults;
    const rough = this.#isRough();
    const copies = rough && this.#random.chance(drop) ? 0 : rough && this.#random.chance(double) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.#queue.add(this.#now + this.#delay(), () => this.#receive(event, from));
    }
  }

  #receive(told: Exclude<RunEvent, { type: "created" }>, from: ModelAgent): void {
    if (!this.#isUp || told.type === "ticked") return;
    const event = { ...told, at: this.#now };
    if (event.type === "joined" && this.#scenario.coming[from.index] === "refused") {
      this.#kinds.add("refused agents");
      this.#apply({ type: "not_coming", at: this.#now, absent: [absentOf(from)] });
      this.#answer(() => from.giveUp(), from);
      return;
    }
    if (event.type === "joined") {
      const admission = this.#machine.admit(this.#state, event);
      if (!admission.ok) {
        this.#answer(() => (admission.code === "held" ? this.#reply(told, from, null) : from.giveUp()), from);
        return;
      }
    }
    this.#apply(event);
    this.#answer(() => this.#reply(told, from, from.name), from);
  }

  #reply(to: RunEvent, from: ModelAgent, name: string | null): void {
    if (to.type !== "joined" && to.type !== "synced" && to.type !== "reset" && to.type !== "left") return;
    if (name === null) {
      from.answered(to, null);
      return;
    }
    if (!this.#isUp) return;
    const instruction = this.#machine.instructionFor(this.#state, name);
    this.#note(this.#oracle.instructed(name, instruction, this.#state));
    from.answered(to, instruction);
  }

  #answer(what: () => void, _to: ModelAgent): void {
    if (this.#isRough() && this.#random.chance(this.#scenario.faults.drop)) return;
    this.#queue.add(this.#now + this.#delay(), what);
  }

  #apply(event: Exclude<RunEvent, { type: "created" }>): void {
    const before = this.#state;
    this.#events++;
    // Resets are rare, and the one event whose repetition has a number of its own.
    const deep = this.#random.chance(0.02) || event.type === "reset";
    const after = this.#oracle.step(before, event, deep);
    this.#note(after.violations);
    this.#state = after.state;
    this.#noteRounds();
    if (this.#scenario.keeps === "everything" || after.state.revision !== before.revision) this.#kept = after.state;
    for (const notice of this.#log === null ? [] : after.state.notices) {
      if (notice.seq > before.noticeSeq) this.#say(() => `  ${notice.text}`);
    }
    this.#say(() => `${describe(event)}`);
    this.#armTick();
  }

  #noteRounds(): void {
    const most = Math.max(...[...itemsOf(this.#state.stages)].map(({ round }) => round));
    const compared = this.#state.plan.stages.some(
      ({ index, trial }) =>
        trial !== undefined && trial.number === trial.count && itemAt(this.#state.stages, index)?.startAt != null,
    );
    if (compared) this.#kinds.add("trials that are compared");
    if (most > 1) this.#kinds.add("stages that are entered again");
    if (most > 2) this.#kinds.add("stages that are entered three times and more");
    const { plan } = this.#scenario;
    for (const run of itemsOf(this.#state.stages)) {
      if (run.quorum !== undefined) this.#kinds.add(`quorums that decide ${run.quorum.decision} at last`);
      const isTold = plan.stages[run.stage]?.tasks?.source.kind === "stage";
      if (isTold && run.phase === "closed") this.#kinds.add("generated tasks");
      if (isTold && run.status === "failure" && run.startAt === null)
        this.#kinds.add("generated tasks that are refused");
      if (run.because !== undefined) this.#kinds.add("stages that a quorum sends back");
    }
    for (const kind of checkpointKinds(plan, this.#state)) this.#kinds.add(kind);
  }

  #armTick(): void {
    const at = this.#machine.nextDeadline(this.#state);
    const tick = ++this.#tick;
    if (at === null) return;
    this.#queue.add(Math.max(at, this.#now + 1), () => {
      if (tick === this.#tick && this.#isUp) this.#apply({ type: "ticked", at: this.#now });
    });
  }

  #crash(): void {
    if (!this.#isUp || !this.#isRough()) return;
    this.#isUp = false;
    const kept = JSON.stringify(this.#kept);
    const ms = this.#random.pick([50, 500, 4_000, 15_000]);
    this.#say(() => `coordinator crashes for ${ms} ms`);
    this.#queue.add(this.#now + ms, () => {
      this.#state = this.#machine.load(kept);
      this.#note(this.#oracle.loaded(this.#state, kept));
      this.#isUp = true;
      this.#apply({ type: "coordinator_started", at: this.#now });
    });
  }

  #planFaults(): void {
    const { killEveryMs, freezeEveryMs, resetEveryMs, crashEveryMs, leaveEveryMs, untilMs } = this.#scenario.faults;
    const repeat = (everyMs: number, what: () => void): void => {
      if (everyMs === Number.POSITIVE_INFINITY) return;
      for (let at = 0; at < untilMs; ) {
        at += this.#random.between(1, 2 * everyMs);
        this.#queue.add(START + at, what);
      }
    };
    const someone = (what: (agent: ModelAgent) => void): void => {
      const agent = this.#agents[this.#random.between(0, this.#agents.length - 1)];
      if (agent?.alive && !agent.finished && this.#isRough()) what(agent);
    };
    repeat(killEveryMs, () => someone((agent) => this.#kill(agent)));
    repeat(freezeEveryMs, () =>
      someone((agent) => {
        this.#say(() => `${agent.name} freezes`);
        agent.freeze(this.#random.pick([1_000, 5_000, 15_000]));
      }),
    );
    repeat(resetEveryMs, () =>
      someone((agent) => {
        this.#say(() => `${agent.name} is reset`);
        agent.reset();
      }),
    );
    repeat(leaveEveryMs, () => someone((agent) => agent.leave()));
    repeat(crashEveryMs, () => this.#crash());
    for (const { checkpoint, index } of this.#scenario.plan.stages)
      if (checkpoint) this.#queue.add(START + 1_000, () => this.#comeBy(index));
    if (this.#scenario.attended !== null) {
      this.#queue.add(START + 1, () => this.#apply({ type: "attended", at: this.#now, wanted: true }));
      this.#queue.add(START + 2_000, () => this.#attend());
    }
    for (const at of this.#scenario.repeats) this.#queue.add(START + at, () => this.#sendBack());
    if (this.#random.chance(0.05)) {
      this.#queue.add(START + this.#random.between(0, 20_000), () => {
        if (this.#isUp) this.#apply({ type: "cancelled", at: this.#now, by: "bob", why: "enough" });
      });
    }
  }

  /** A person looks every few seconds whether this stage waits for one: again in each of its rounds. */
  #comeBy(stage: number): void {
    if (isOver(this.#state)) return;
    const person = this.#scenario.persons[stage];
    if (this.#isUp && this.#state.checkpoint?.stage === stage) {
      const round = itemAt(this.#state.stages, stage)?.round ?? 1;
      const why = `not ${this.#scenario.plan.stages[stage]?.name}`;
      if (person === "approves") this.#apply({ type: "approved", at: this.#now, stage, round, by: "ann" });
      if (person === "stops") this.#apply({ type: "cancelled", at: this.#now, by: "ann", why });
    }
    this.#queue.add(this.#now + 3_000, () => this.#comeBy(stage));
  }

  /** Whoever attends to the run looks at it every two seconds. */
  #attend(): void {
    if (isOver(this.#state)) return;
    const event = this.#isUp ? (this.#scenario.attended?.says(this.#state, this.#now) ?? null) : null;
    if (event !== null && event.type !== "created") {
      for (const kind of attendedKinds(event)) this.#kinds.add(kind);
      this.#apply(event);
    }
    this.#queue.add(this.#now + 2_000, () => this.#attend());
  }

  /** What is open now is to lead back once it is over: to itself, or to any stage before it. */
  #sendBack(): void {
    const { segment, stages } = this.#state;
    if (!this.#isUp || segment === null || isOver(this.#state)) return;
    const stage = this.#rounds.between(segment.first, segment.last);
    const round = itemAt(stages, stage)?.round ?? 1;
    const from = this.#rounds.between(0, stage);
    this.#apply({ type: "repeat_requested", at: this.#now, stage, round, from, why: "not good enough" });
  }

  /** Whoever knows that an agent will not be there (again) says so, to a coordinator that is up. */
  #sayAbsent(agent: ModelAgent, afterMs: number): void {
    if (!this.#random.chance(this.#scenario.faults.told)) return;
    const say = (): void => {
      if (isOver(this.#state)) return;
      if (!this.#isUp) this.#queue.add(this.#now + 1_000, say);
      else {
        this.#kinds.add("agents that are known not to come");
        this.#apply({ type: "not_coming", at: this.#now, absent: [absentOf(agent)] });
      }
    };
    this.#queue.add(this.#now + afterMs, say);
  }

  #kill(agent: ModelAgent): void {
    agent.kill();
    const comesBack = !this.#random.chance(this.#scenario.faults.forGood);
    this.#say(() => `${agent.name} is killed${comesBack ? "" : " for good"}`);
    if (!comesBack) {
      this.#kinds.add("agents that are gone for good");
      this.#sayAbsent(agent, 500);
      return;
    }
    this.#queue.add(this.#now + this.#random.pick([100, 2_000, 6_000, 15_000]), () => {
      if (!agent.alive && !isOver(this.#state)) agent.revive();
    });
  }

  #fate(): ReturnType<Surroundings["fate"]> {
    const { fails, hangs, unendable, maxMs } = this.#scenario.work;
    const ms = this.#random.between(0, maxMs);
    const isUnendable = this.#random.chance(unendable);
    if (this.#random.chance(hangs)) return { ms, end: { kind: "reset" }, isUnendable };
    return { ms, end: { kind: "exited", code: this.#random.chance(fails) ? 1 : 0 }, isUnendable };
  }

  /** Nobody waits for what cannot be ended for longer than a grace and as long again. */
  #giveUpMs(agent: ModelAgent, attempt: string, isOver: () => boolean): number {
    this.#kinds.add("processes that cannot be ended");
    this.#say(() => `${agent.name} cannot end ${attempt}`);
    const check = (): void => {
      if (isOver()) return;
      if (agent.frozen) this.#queue.add(this.#now + 1_000, check);
      else this.#note([`${agent.name} still waits for ${attempt}, which cannot be ended`]);
    };
    this.#queue.add(this.#now + 2 * GRACE_MS + 1_000, check);
    return this.#machine.endingFrom(this.#now, GRACE_MS).giveUpAt - this.#now;
  }

  #isRough(): boolean {
    return this.#now < START + this.#scenario.faults.untilMs;
  }

  #delay(): number {
    return this.#random.between(1, this.#isRough() ? this.#scenario.faults.maxDelayMs : 20);
  }

  #time(): string {
    return ((this.#now - START) / 1_000).toFixed(3).padStart(8);
  }

  #say(line: () => string): void {
    this.#log?.(`${this.#time()} ${line()}`);
  }

  #note(violations: readonly string[]): void {
    for (const violation of violations) {
      this.#say(() => `VIOLATION ${violation}`);
      if (this.#violations.length < TOLD) this.#violations.push(`at ${this.#time().trim()} s: ${violation}`);
    }
  }
}

function isOver({ status }: RunState): boolean {
  return status === "succeeded" || status === "failed" || status === "cancelled";
}

function absentOf({ name }: ModelAgent): Absent {
  return { id: agentIdentity(name), why: `${name} does not come` };
}

function describe(event: RunEvent): string {
  switch (event.type) {
    case "synced": {
      const ends = event.finished.map(
        ({ attempt, end }) => `${attempt} ${end.kind}${end.kind === "exited" ? end.code : ""}`,
      );
      const said = [`${event.agent} syncs ${event.sequence ?? ""} ${event.status} in ${event.stage}`, ...ends];
      return `${said.join(", ")}${event.wants > 0 ? `, wants ${event.wants}` : ""}${event.ready.length > 0 ? `, ready ${event.ready}` : ""}`;
    }
    case "joined":
      return `${event.agent} joins (${event.session})`;
    case "reset":
      return `${event.agent} tells its reset`;
    case "left":
      return `${event.agent} leaves`;
    case "not_coming":
      return `${event.absent.map(({ id }) => id).join(", ")} will not be there`;
    case "repeat_requested":
      return `stage ${event.stage} is to lead back to stage ${event.from}`;
    default:
      return event.type;
  }
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly what: () => void;
}

/** What is to happen, by time; at the same time in the order in which it was added. A binary heap. */
class Queue {
  readonly #heap: Entry[] = [];
  #order = 0;

  add(at: number, what: () => void): void {
    const heap = this.#heap;
    heap.push({ at, what, order: this.#order++ });
    let child = heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  take(): Entry | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      if (left >= heap.length) return first;
      const least = left + 1 < heap.length && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(least, parent)) return first;
      this.#swap(least, parent);
      parent = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const one = this.#heap[a];
    const other = this.#heap[b];
    if (one === undefined || other === undefined) return false;
    return one.at < other.at || (one.at === other.at && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    const one = this.#heap[a];
    const other = this.#heap[b];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}
