/** The form of what is stored of a run, as it was recorded: whoever changes it is told that it needs a new number. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { RunSnapshot } from "../../../src/coordinator/hosting/run-store.ts";
import { SessionTable } from "../../../src/coordinator/hosting/session-table.ts";
import { restoreRun, SNAPSHOT_VERSION, snapshotOf } from "../../../src/coordinator/hosting/snapshot.ts";
import type { RunState } from "../../../src/run/machine.ts";
import type { AttemptEnd } from "../../../src/run/types.ts";
import { Group, plan, report, retrying } from "../../run/builders.ts";

const CHANGED = `what is stored of a run has another form: give it a new number in src/coordinator/hosting/snapshot.ts
(SNAPSHOT_VERSION, with an upgrade from the last one that was released), and record it with
STAGEWRIGHT_RECORD_SNAPSHOT=1 npx vitest run test/coordinator/hosting/snapshot-form.test.ts. As long as no release has
written a number, its recording may be removed and made again.`;

interface Recorded {
  /** Path and type of all that it holds. */
  readonly form: readonly string[];
  readonly snapshot: RunSnapshot;
}

const fileOf = (version: number) => new URL(`snapshot-${version}.json`, import.meta.url);
const recorded = (version: number): Recorded => JSON.parse(readFileSync(fileOf(version), "utf8"));

const today = recording();
if (process.env.STAGEWRIGHT_RECORD_SNAPSHOT === "1" && !existsSync(fileOf(SNAPSHOT_VERSION))) {
  writeFileSync(fileOf(SNAPSHOT_VERSION), `${JSON.stringify(today, null, 1)}\n`);
}

it("has a new number when it has changed", () => {
  expect(today.form, CHANGED).toEqual(recorded(SNAPSHOT_VERSION).form);
});

it.each(Array.from({ length: SNAPSHOT_VERSION }, (_, n) => [n + 1]))("of number %i is gone on with", (version) => {
  const { snapshot } = recorded(version);
  const group = new Group(snapshot.state.plan, 2);
  group.state = restoreRun({ version: 1, snapshot, records: [] }).state;
  group.at = group.state.now;
  for (let step = 0; step < 40; step += 1) work(group);
  expect(group.state.failure).toBeNull();
  expect(group.state.status).toBe("succeeded");
});

/** A run with something of everything, at each of its steps. */
function* statesOfARun(): Generator<RunState> {
  const source = { kind: "count", count: 4 } as const;
  const of = plan([
    { name: "serve", background: { ready: { port: 1 }, until: "work" } },
    { name: "try", retry: retrying({ maxAttempts: 3 }), expectedObjects: 10 },
    {
      name: "work",
      type: "prepare",
      completion: "tasks_done",
      tasks: { source, concurrency: 1, maxFailures: 1, maxPreemptions: 10, needs: {} },
    },
    { name: "ask", checkpoint: true, optional: true },
  ]);
  const group = new Group(of, 2).join();
  for (let step = 0; step < 40; step += 1) {
    yield group.state;
    work(group);
  }
}

/** Each agent does something of what it is told to; the first one fails at first. */
function work(group: Group): void {
  group.pass(1_000);
  if (group.state.checkpoint !== null) {
    group.send({ type: "approved", at: group.at, stage: group.state.checkpoint.stage, by: "ann" });
  }
  for (const agent of group.names) {
    const told = group.instruction(agent);
    if (told.do !== "execute") continue;
    const { stage, attempt, attemptNumber, leases } = told;
    const progress = { done: 5, total: 10, errors: 0 };
    const base = { stage, status: "running", wants: 1, outputs: { url: "http://10.0.0.1" }, progress } as const;
    const end: AttemptEnd = { kind: "exited", code: stage === 1 && agent === "agent-0" && attemptNumber === 1 ? 1 : 0 };
    const metric = { name: "rate", value: 1, unit: "1/s", agg: "last", count: 1 } as const;
    const annotation = { path: "a.ts", line: 1, level: "warning", title: null, message: "m" } as const;
    const said = {
      metrics: [metric],
      histograms: { h: "x" },
      outputs: { key: 1 },
      annotations: [annotation],
      tail: "t",
    };
    if (stage === 0) group.sync(agent, { ...base, ready: [0] });
    else if (stage === 2) {
      const finished = leases.map((lease) => report({ stage, task: lease.task, attempt: lease.attempt, end, ...said }));
      group.sync(agent, { ...base, finished });
    } else {
      group.sync(agent, base);
      group.sync(agent, { ...base, finished: [report({ stage, attempt, end, progress, ...said })] });
    }
  }
}

function recording(): Recorded {
  const sessions = new SessionTable();
  sessions.open({ id: "agent-0#1", agent: "agent-0", nonce: "n", checkRunId: null });
  const form = new Set<string>();
  let middle: RunState | null = null;
  for (const state of statesOfARun()) {
    // What a plan looks like the protocol's numbers hold.
    const { plan: _plan, ...rest } = state;
    addForm(JSON.parse(JSON.stringify({ state: rest, sessions: sessions.stored() })), "", form);
    if (state.segment?.first === 2) middle = state;
  }
  if (middle === null) throw new Error("the run did not come to its tasks");
  return { form: [...form].sort(), snapshot: JSON.parse(JSON.stringify(snapshotOf(middle, sessions))) };
}

function addForm(value: unknown, path: string, form: Set<string>): void {
  if (Array.isArray(value)) {
    form.add(`${path}: list`);
    for (const item of value) addForm(item, `${path}[]`, form);
  } else if (typeof value === "object" && value !== null) {
    form.add(`${path}: object`);
    for (const [key, item] of Object.entries(value)) addForm(item, `${path}.${key}`, form);
  } else form.add(`${path}: ${value === null ? "null" : typeof value}`);
}
