/** What becomes of a move when something else is decided while it is on its way. */

import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { confirmedStateOf, type DesiredState } from "../../../app/evaluation/desired-state.ts";
import type { Intent, Pull, Store } from "../../../app/store/model.ts";
import { TransitionResults } from "../../../app/transitions/result.ts";
import type { PendingTransition } from "../../../app/transitions/verify.ts";
import { DEFAULT_TIMINGS } from "../../../app/work/timings.ts";
import { Wakeups } from "../../../app/work/wakeups.ts";
import { InstallationWriters } from "../../../app/work/writer/installation-writer.ts";
import { evaluate } from "../../../src/lifecycle/evaluation/evaluate.ts";
import type { Hold } from "../../../src/lifecycle/evaluation/evaluation.ts";
import { NO_TAMPERING } from "../../../src/lifecycle/evaluation/tampering.ts";
import { DEFAULT_POLICY } from "../../../src/lifecycle/policy/default-policy.ts";
import { alice, did, history, labeled, opened, permissions } from "../../lifecycle/builders.ts";
import { openMemoryStore } from "../store/memory.ts";

const NOW = Date.parse("2026-03-02T10:00:00Z");
const HOLD: Hold = { why: "repository", at: Date.parse("2026-03-02T08:00:00Z"), by: null, reason: "release" };
const facts = history(opened({ labels: ["ready-for-qa"] }), did(labeled(1, "ready-for-qa", alice)));
const judged = (repositoryHold: Hold | null) =>
  evaluate({ facts, policy: DEFAULT_POLICY, permissions, ourAppId: 1, repositoryHold });
const desired: DesiredState = {
  stage: "ready-for-qa",
  label: "stage/ready-for-qa",
  gone: [],
  headSha: facts.head.sha,
  checks: [],
  shared: false,
  left: false,
};
const shown = confirmedStateOf({ stage: "ready-for-qa", labels: [], absent: { labels: [], at: 0 }, checks: [] });
const ID = { repositoryId: 100, number: 7 };

let store: Store;
let results: TransitionResults;
beforeEach(async () => {
  store = await openMemoryStore();
  results = new TransitionResults({
    store,
    log: pino({ level: "silent" }),
    now: () => NOW,
    timings: DEFAULT_TIMINGS,
    wakeups: new Wakeups(),
    writers: new InstallationWriters({ now: () => NOW, timings: DEFAULT_TIMINGS }),
    ourselves: () => ({ appId: 1, botLogin: "stagewright[bot]" }),
  });
});
afterEach(() => store.close());

/** A move that was sent, and then the repository was put on hold and the pull request judged anew. */
async function overtaken(): Promise<PendingTransition> {
  const intent: Intent = {
    id: "i",
    from: null,
    to: "ready-for-qa",
    createdAt: NOW,
    tries: 1,
    sentAt: NOW,
    notes: [],
    read: false,
  };
  const evaluation = judged(null);
  expect(evaluation.stage).toBe("ready-for-qa");
  const row: Pull = {
    ...ID,
    installationId: 1,
    version: 0,
    facts,
    confirmed: null,
    evaluation,
    reevaluateAt: null,
    reevaluationTries: 0,
    intent,
    intentAt: NOW,
    blocked: null,
  };
  await store.commit({ pulls: [row], now: NOW });
  const pull = { ...row, version: 1 };
  const held = { ...pull, evaluation: judged(HOLD), intent: { ...intent, to: null }, intentAt: NOW };
  await store.commit({ pulls: [held], now: NOW });
  const evaluated = { facts, policy: DEFAULT_POLICY, permissions, evaluation, tampering: NO_TAMPERING, desired };
  const { repository: seen } = facts;
  const repository = { ...seen, nodeId: "R", installationId: 1 };
  return { pull, intent, repository, evaluated, desired, shown: null, seen: null, notes: [], writtenAt: null };
}

it("a confirmed move does not overwrite what was decided while it was on its way", async () => {
  const pending = await overtaken();
  await results.confirm(pending, null, shown);
  const row = await store.pull(ID);
  expect(row?.confirmed?.stage).toBe("ready-for-qa");
  expect(row?.evaluation?.held).toEqual(HOLD);
  expect(row?.intentAt).toBe(NOW);
  expect(row?.reevaluateAt).toBe(NOW);
});

it("a move confirmed after what it was sent for is over again is looked at once more", async () => {
  const pending = await overtaken();
  const evaluation = judged(HOLD);
  const sent = { ...pending, evaluated: { ...pending.evaluated, evaluation } };
  const row = await store.pull(ID);
  if (row === null) throw new Error("it is known");
  // The hold was ended, and that was judged, while what the hold closed was on its way.
  await store.commit({ pulls: [{ ...row, evaluation: judged(null) }], now: NOW });
  await results.confirm(sent, null, shown);
  expect((await store.pull(ID))?.reevaluateAt).toBe(NOW);
});

it("a move given up does not keep what was decided since waiting", async () => {
  await results.block(await overtaken(), { code: "rejected", text: "GitHub refused it" }, null);
  expect(await store.pull(ID)).toMatchObject({
    blocked: null,
    intentAt: NOW,
    intent: { read: true },
    reevaluateAt: NOW,
  });
});

it("a move dropped does not drop what was decided since", async () => {
  const { pull } = await overtaken();
  await results.drop(pull);
  expect(await store.pull(ID)).toMatchObject({ intentAt: NOW });
});

it("a move that two of the app's tries found made is told once", async () => {
  const pending = await overtaken();
  await results.confirm(pending, null, shown);
  await results.confirm(pending, null, shown);
  const lines = (await store.history(ID, 10)).items.filter(({ kind }) => kind === "moved").map(({ to }) => to);
  expect(lines).toEqual(["pr-created", "ready-for-qa"]);
});

it("a move found made after another one is read again, and told no more", async () => {
  const pending = await overtaken();
  const row = await store.pull(ID);
  if (row === null) throw new Error("it is known");
  await store.commit({ pulls: [{ ...row, confirmed: { ...shown, stage: "approved" }, intentAt: null }], now: NOW });
  await results.confirm(pending, null, shown);
  expect(await store.pull(ID)).toMatchObject({
    confirmed: { stage: "approved" },
    intent: { read: true },
    intentAt: NOW,
  });
  expect((await store.history(ID, 10)).items).toEqual([]);
});
