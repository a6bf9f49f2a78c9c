import { afterEach, describe, expect, it } from "vitest";
import { runIdOf } from "../../src/coordinator/protocol/run-id.ts";
import type { Serving } from "../../src/coordinator/server/serve.ts";
import { agentOf, clientOf, joinOf, keyOf, planOf, removeDirectories, startCoordinator } from "./builders.ts";

const serving: Serving[] = [];
afterEach(async () => {
  for (const one of serving.splice(0)) await one.close();
  removeDirectories();
});

const PLAN = planOf(`
name: group
agents: 4
stages:
  - { name: prepare, runs_on: first, run: echo prepared }
  - { name: work, run: 'echo "$STAGEWRIGHT_AGENT_INDEX of $STAGEWRIGHT_AGENT_COUNT"; stagewright emit agent-$STAGEWRIGHT_AGENT_INDEX=$STAGEWRIGHT_AGENT_NAME' }
  - { name: check, run: 'echo "first is $STAGEWRIGHT_OUTPUT_WORK_AGENT_0"' }
`);

describe("four agents over HTTP", () => {
  it("go through a plan together, and each ends with the group's verdict", async () => {
    const coordinator = await startCoordinator();
    serving.push(coordinator);
    const agents = [0, 1, 2, 3].map((index) =>
      agentOf(clientOf(coordinator.address), joinOf(PLAN, `node-${index}`, { index })),
    );
    const ends = await Promise.all(agents.map(({ agent }) => agent.run()));
    for (const [index, end] of ends.entries()) {
      if (end.kind !== "finished") throw new Error(end.why);
      expect(end.summary.verdict).toBe("success");
      expect(end.summary.phases.map(({ name, status }) => [name, status])).toEqual([
        ["prepare", "success"],
        ["work", "success"],
        ["check", "success"],
      ]);
      // Each is told its own part: the whole is where the run is hosted.
      expect(end.summary.phases[1]?.agents.map(({ agent }) => agent)).toEqual([`node-${index}`]);
    }
    const run = await coordinator.runs.find(runIdOf(keyOf(PLAN)));
    const whole = run?.host.summary().phases[1]?.agents.map(({ agent }) => agent);
    expect(whole).toEqual(["node-0", "node-1", "node-2", "node-3"]);
    const lines = agents.map(({ events }) =>
      events.flatMap((event) => (event.kind === "output" ? [`${event.stage.name}: ${event.line}`] : [])),
    );
    expect(lines[0]).toEqual(["prepare: prepared", "work: 0 of 4", "check: first is node-0"]);
    expect(lines[3]).toEqual(["work: 3 of 4", "check: first is node-0"]);
  });
});

describe("a quorum over HTTP", () => {
  const REVIEWED = planOf(`
name: reviewed
agents: 2
stages:
  - { name: gather, run: 'echo "$STAGEWRIGHT_ROUND: $STAGEWRIGHT_DEFICIENCIES"; stagewright emit topic-$STAGEWRIGHT_AGENT_INDEX=$STAGEWRIGHT_ROUND' }
  - name: review
    type: quorum
    retry_stages: [gather]
    backoff: 1ms
    validators:
      - { name: tests, run: 'test "$STAGEWRIGHT_OUTPUT_GATHER_TOPIC_1" = 2 && echo "{\\"decision\\":\\"PASS\\"}" || echo "{\\"decision\\":\\"RETRY\\",\\"deficiencies\\":[\\"no tests\\"]}"' }
      - { name: size, run: 'echo "{\\"decision\\":\\"PASS\\"}"' }
  - { name: publish, run: 'echo "of round $STAGEWRIGHT_OUTPUT_GATHER_TOPIC_0"' }
`);

  it("sends both agents back with what was wanting, and lets them go on when that is there", async () => {
    const coordinator = await startCoordinator();
    serving.push(coordinator);
    const agents = [0, 1].map((index) =>
      agentOf(clientOf(coordinator.address), joinOf(REVIEWED, `node-${index}`, { index })),
    );
    const ends = await Promise.all(agents.map(({ agent }) => agent.run()));
    expect(ends.map((end) => (end.kind === "finished" ? end.summary.verdict : end.why))).toEqual([
      "success",
      "success",
    ]);
    for (const { events } of agents) {
      const lines = events.flatMap((event) =>
        event.kind === "output" && event.stage.name !== "review" ? [event.line] : [],
      );
      expect(lines).toEqual(["1: ", '2: [{"validator":"tests","deficiency":"no tests"}]', "of round 2"]);
    }
    const run = await coordinator.runs.find(runIdOf(keyOf(REVIEWED)));
    const [, review] = run?.host.summary().phases ?? [];
    const decisions = [...(review?.earlier ?? []), review].map((round) => round?.quorum?.decision);
    expect(decisions).toEqual(["RETRY", "PASS"]);
  });
});
