/**
 * What becomes of a group when something happens to one of its agents: every policy, everything that happens to
 * machines. The agents are processes of their own; what is expected are outcomes, and every wait is for a condition.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Serving } from "../../src/coordinator/server/serve.ts";
import type { AgentPhase } from "../../src/run/result/record.ts";
import { agentIdentity } from "../../src/run/types.ts";
import { planOf, startCoordinator } from "../coordinator/builders.ts";
import { type AgentProcess, Group, Network } from "./group-builders.ts";

let serving: Serving;
const errors: unknown[] = [];
beforeAll(async () => {
  serving = await startCoordinator({ errors });
});
afterAll(async () => {
  await serving.close();
  expect(errors).toEqual([]);
});

const POLICIES = ["all_or_nothing", "majority", "best_effort", "at_least 3"] as const;
type Policy = (typeof POLICIES)[number];

/** Lost soon; or so late that whatever happens is over before. */
const SHORT = "{ heartbeat_interval: 200ms, warn_after: 1s, lost_after: 3s }";
const LONG = "{ heartbeat_interval: 200ms, warn_after: 1s, lost_after: 60s }";

/** `work` goes on until the test says `go`, and fails for whom the test says so. */
function planFor(policy: Policy, liveness: string, assembly: string) {
  return planOf(`
name: table
assembly: ${assembly}
liveness: ${liveness}
barrier_sync: { default_type: ${policy}, default_straggler_grace: 30s }
stages:
  - name: work
    run: |
      echo "$STAGEWRIGHT_AGENT_NAME $STAGEWRIGHT_ATTEMPT" >> started
      until [ -e go ]; do
        if [ -e "fail-$STAGEWRIGHT_AGENT_NAME" ]; then echo "the disk is full"; exit 7; fi
        sleep 0.25
      done
  - { name: after, run: 'echo "$STAGEWRIGHT_AGENT_NAME" >> after' }
  - { name: cleanup, run: 'echo "$STAGEWRIGHT_AGENT_NAME" >> cleaned' }
`);
}

const VICTIM = "node-1";

interface Scene {
  readonly group: Group;
  readonly victim: AgentProcess;
  readonly network: Network;
  /** Waits until the victim counts as lost. */
  lost(): Promise<void>;
}

interface Happening {
  readonly liveness: string;
  /** The victim joins only when the group is under way. */
  readonly late?: true;
  /** Comes back only when the test is through with `happen`: then the run may be over. */
  happen(scene: Scene): Promise<void>;
}

/** How the group fares: its verdict, the victim's part in both stages, and how the victim's process ends. */
interface Outcome {
  readonly verdict: "success" | "failure";
  readonly work: AgentPhase["status"] | null;
  readonly after: AgentPhase["status"] | null;
  /** Of its last process. */
  readonly exit: number | "SIGKILL";
  /** How often its command of `work` was started. */
  readonly starts: number;
  /** What the run says of it, by name. */
  readonly reason?: string;
  /** Null: it never worked, in the life in which it may come too late. */
  readonly cleansUp: boolean | null;
}

const HAPPENINGS = {
  "is killed": {
    liveness: SHORT,
    async happen({ victim, lost }) {
      victim.child.kill("SIGKILL");
      await lost();
    },
  },
  "is frozen until it is lost": {
    liveness: SHORT,
    async happen({ victim, lost }) {
      victim.child.kill("SIGSTOP");
      await lost();
      victim.child.kill("SIGCONT");
    },
  },
  "fails its stage": {
    liveness: LONG,
    async happen({ group }) {
      group.touch(`fail-${VICTIM}`);
      await group.until("the failure to be known", () => {
        return group.host.isOver || group.host.state.failure !== null || group.seen(VICTIM).membership !== "member";
      });
    },
  },
  "joins late": {
    liveness: LONG,
    late: true,
    async happen() {
      // It has joined, by now.
    },
  },
  "restarts within lost_after": {
    liveness: LONG,
    async happen({ group, victim, network }) {
      victim.child.kill("SIGKILL");
      // What it has said and is on its way would be heard as a sign of life.
      network.cut();
      // Its place is held for it until it has been silent for warn_after.
      await group.until("its silence to be noticed", () => group.seen(VICTIM).presence === "silent");
      group.start(VICTIM);
    },
  },
  "restarts after lost_after": {
    liveness: SHORT,
    async happen({ group, victim, lost }) {
      victim.child.kill("SIGKILL");
      await lost();
      group.start(VICTIM);
    },
  },
  "loses the network for 5 s": {
    liveness: SHORT,
    async happen({ network, lost }) {
      network.cut();
      await Promise.all([lost(), sleep(5_000)]);
      network.restore();
    },
  },
  "loses the network for 5 s within lost_after": {
    liveness: LONG,
    async happen({ group, network }) {
      network.cut();
      await sleep(5_000);
      network.restore();
      await group.until("it to be back", () => group.seen(VICTIM).presence === "here");
    },
  },
  "is reset by SIGHUP": {
    liveness: LONG,
    async happen({ group, victim }) {
      victim.child.kill("SIGHUP");
      await group.until("its second start", () => startsOf(group) === 2);
    },
  },
} as const satisfies Record<string, Happening>;

const WELL = { verdict: "success", work: "success", after: "success", exit: 0, starts: 1, cleansUp: true } as const;
const AGAIN = { ...WELL, starts: 2 } as const;
const ABORTED = { verdict: "failure", work: "lost", after: null, exit: 1, starts: 1, reason: "was lost" } as const;
const EXCLUDED = { verdict: "success", work: "lost", after: "excluded", exit: 0, starts: 1, cleansUp: true } as const;

/** By policy, in the order of `POLICIES`. */
const EXPECTED: Readonly<Record<keyof typeof HAPPENINGS, readonly [Outcome, Outcome, Outcome, Outcome]>> = {
  "is killed": [
    { ...ABORTED, exit: "SIGKILL", cleansUp: false },
    { ...EXCLUDED, exit: "SIGKILL", cleansUp: false },
    { ...WELL, work: "lost", after: null, exit: "SIGKILL", cleansUp: false },
    { ...EXCLUDED, exit: "SIGKILL", cleansUp: false },
  ],
  "is frozen until it is lost": [{ ...ABORTED, cleansUp: true }, EXCLUDED, AGAIN, EXCLUDED],
  "fails its stage": [
    { ...ABORTED, work: "failure", reason: "failed: exit code 7", cleansUp: true },
    { ...EXCLUDED, work: "failure" },
    { ...WELL, work: "failure" },
    { ...EXCLUDED, work: "failure" },
  ],
  "joins late": [WELL, WELL, WELL, WELL],
  "restarts within lost_after": [AGAIN, AGAIN, AGAIN, AGAIN],
  "restarts after lost_after": [{ ...ABORTED, cleansUp: null }, EXCLUDED, AGAIN, EXCLUDED],
  "loses the network for 5 s": [{ ...ABORTED, cleansUp: true }, EXCLUDED, AGAIN, EXCLUDED],
  "loses the network for 5 s within lost_after": [WELL, WELL, WELL, WELL],
  "is reset by SIGHUP": [AGAIN, AGAIN, AGAIN, AGAIN],
};

/**
 * Each has processes of its own for some seconds. Played are all outcomes of a happening, each policy several times;
 * whatever is left out is played with `STAGEWRIGHT_TABLE=whole`.
 */
const PLAYED: Readonly<Record<keyof typeof HAPPENINGS, readonly Policy[]>> = {
  "is killed": POLICIES,
  "is frozen until it is lost": ["all_or_nothing", "majority", "best_effort"],
  "fails its stage": ["all_or_nothing", "best_effort", "at_least 3"],
  "joins late": ["all_or_nothing", "at_least 3"],
  "restarts within lost_after": ["majority"],
  "restarts after lost_after": ["all_or_nothing", "majority", "best_effort"],
  "loses the network for 5 s": ["all_or_nothing", "best_effort", "at_least 3"],
  "loses the network for 5 s within lost_after": ["best_effort"],
  "is reset by SIGHUP": ["all_or_nothing", "majority"],
};
const WHOLE = process.env.STAGEWRIGHT_TABLE === "whole";
const happeningsOf = (policy: Policy): (keyof typeof HAPPENINGS)[] =>
  (Object.keys(HAPPENINGS) as (keyof typeof HAPPENINGS)[]).filter((name) => WHOLE || PLAYED[name].includes(policy));

const startsOf = (group: Group): number =>
  group.lines("started").filter((line) => line.startsWith(`${VICTIM} `)).length;

/**
 * Groups that go on without a late agent do so when the time for assembly is over, or when they are told that it does
 * not come: the latter, for what is a short time on one machine is none on another.
 */
async function opened(policy: Policy, happening: Happening, others: readonly string[]): Promise<Group> {
  const size = others.length + 1;
  const late = happening.late === true;
  const assembly = late ? `{ timeout: 5m, at_least: ${size - 1} }` : "{ timeout: 5m }";
  const group = await Group.open(serving, planFor(policy, happening.liveness, assembly), size, randomUUID());
  if (late) {
    const absent = [{ id: agentIdentity(VICTIM), why: `${VICTIM} is not coming` }];
    group.host.commit({ event: { type: "not_coming", at: group.host.now, absent } });
  }
  for (const name of others) group.start(name);
  return group;
}

async function play(policy: Policy, happening: Happening, expected: Outcome): Promise<void> {
  const size = policy === "at_least 3" ? 4 : 3;
  const others = Array.from({ length: size }, (_, index) => `node-${index}`).filter((name) => name !== VICTIM);
  const group = await opened(policy, happening, others);
  const network = await Network.to(serving.address);
  try {
    const join = (): AgentProcess => group.start(VICTIM, { through: network.address });
    const early = happening.late === true ? null : join();
    const atWork = happening.late === true ? size - 1 : size;
    await group.until("everyone to be at work", () => group.lines("started").length === atWork);
    const victim = early ?? join();
    await group.until("the victim to be at work", () => startsOf(group) === 1);

    const lost = (): Promise<void> =>
      group.until("its loss", () => group.seen(VICTIM).presence === "lost" || group.host.isOver);
    await happening.happen({ group, victim, network, lost });
    await group.until("the victim to come to rest", () => {
      if (group.host.state.failure !== null || startsOf(group) === expected.starts) return true;
      return group.seen(VICTIM).membership === "excluded";
    });
    // Whoever comes back is to find the group where it left it.
    if (expected.exit !== "SIGKILL" && expected.verdict === "success") {
      await group.until("the victim to be back", () => group.seen(VICTIM).presence === "here");
    }
    group.touch("go");
    const ends = await group.ends();

    const summary = group.host.summary();
    const told = { log: victim.log(), message: summary.message };
    const partIn = (name: string, stage: number): AgentPhase["status"] | null =>
      summary.phases[stage]?.agents.find(({ agent }) => agent === name)?.status ?? null;
    expect({ ...told, verdict: summary.verdict }).toMatchObject({ verdict: expected.verdict });
    expect({ ...told, work: partIn(VICTIM, 0), after: partIn(VICTIM, 1), starts: startsOf(group) }).toMatchObject({
      work: expected.work,
      after: expected.after,
      starts: expected.starts,
    });
    if (expected.reason !== undefined) {
      expect(summary.message).toContain(VICTIM);
      expect(summary.message).toContain(expected.reason);
      expect(summary.failedStage).toBe("work");
    }
    // Every agent exits with the group's verdict.
    expect(ends.filter(([name]) => name !== VICTIM).map(([, end]) => end)).toEqual(
      others.map(() => (expected.verdict === "success" ? 0 : 1)),
    );
    expect({ ...told, end: ends.findLast(([name]) => name === VICTIM)?.[1] }).toMatchObject({ end: expected.exit });
    const wentOn = expected.verdict === "success" ? [...others] : [];
    if (expected.after === "success") wentOn.push(VICTIM);
    expect(group.lines("after").toSorted()).toEqual(wentOn.toSorted());
    expect(
      group
        .lines("cleaned")
        .filter((name) => name !== VICTIM)
        .toSorted(),
    ).toEqual(others.toSorted());
    if (expected.cleansUp !== null) {
      const cleaned = group.lines("cleaned").includes(VICTIM);
      expect({ ...told, cleaned }).toMatchObject({ cleaned: expected.cleansUp });
    }
    // Each attempt is one of its own: the name of an attempt fences off those before it.
    expect(new Set(group.lines("started")).size).toBe(group.lines("started").length);
  } finally {
    network.close();
    await group.close();
  }
}

describe.concurrent.each(POLICIES)("%s, an agent", (policy) => {
  it.each(happeningsOf(policy))("%s", async (name) => {
    const expected = EXPECTED[name][POLICIES.indexOf(policy)];
    if (expected === undefined) throw new Error("nothing is expected");
    await play(policy, HAPPENINGS[name], expected);
  });
});
