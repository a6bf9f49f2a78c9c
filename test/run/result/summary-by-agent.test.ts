import { describe, expect, it } from "vitest";
import { summary } from "../../../src/run/machine.ts";
import { SummaryByAgent } from "../../../src/run/result/summary-by-agent.ts";
import { barrier, Group, plan, report } from "../builders.ts";

const annotation = { path: "a.ts", line: 1, level: "warning", title: null, message: "careful" } as const;

/** Two of four agents fail a stage that lets them. */
function result() {
  const of = plan([{ name: "work", optional: true, barrier: { ...barrier, rule: { kind: "best_effort" } } }]);
  const group = new Group(of, 4).join();
  for (const [n, name] of group.names.entries()) {
    const { stage, attempt } = group.execute(name);
    const end = { kind: "exited", code: n < 2 ? 1 : 0 } as const;
    group.sync(name, { finished: [report({ stage, attempt, end, tail: `of ${name}`, annotations: [annotation] })] });
  }
  return summary(group.state);
}

describe("one agent's part in a result", () => {
  it("is its own, with what its own commands annotated, under the group's verdict", () => {
    const whole = result();
    const part = new SummaryByAgent(whole, 0).of("agent-2");
    expect(part).toMatchObject({ verdict: whole.verdict, message: whole.message });
    expect(part.phases[0]).toMatchObject({ name: "work", status: "warning", annotations: [{ agent: "agent-2" }] });
    expect(part.phases[0]?.agents.map(({ agent, tail }) => [agent, tail])).toEqual([["agent-2", "of agent-2"]]);
    expect(part.phases[0]?.annotations).toHaveLength(1);
  });

  it("names some of the others that failed, without what they printed", () => {
    const parts = new SummaryByAgent(result(), 1);
    const named = (agent: string) => parts.of(agent).phases[0]?.agents.map((part) => [part.agent, part.tail]);
    expect(named("agent-3")).toEqual([
      ["agent-3", "of agent-3"],
      ["agent-0", ""],
    ]);
    expect(named("agent-0")).toEqual([["agent-0", "of agent-0"]]);
    expect(named("somebody")).toEqual([["agent-0", ""]]);
  });

  it("has its earlier rounds, too", () => {
    const [phase, ...rest] = result().phases;
    if (phase === undefined) throw new Error("there is no stage");
    const whole = { ...result(), phases: [{ ...phase, earlier: [phase] }, ...rest] };
    const earlier = new SummaryByAgent(whole, 1).of("agent-2").phases[0]?.earlier;
    expect(earlier?.[0]?.agents.map(({ agent }) => agent)).toEqual(["agent-2", "agent-0"]);
  });

  it("names the machine that it ran on alone, where the result names any", () => {
    const { machines = [], ...without } = result();
    expect(machines).toHaveLength(4);
    const named = (agent: string) => new SummaryByAgent({ ...without, machines }, 1).of(agent).machines;
    expect(named("agent-2")).toEqual([machines[2]]);
    expect(named("somebody")).toEqual([]);
    expect(new SummaryByAgent(without, 1).of("agent-2")).not.toHaveProperty("machines");
  });

  it("has neither those that did well nor those that had nothing to do", () => {
    const [phase] = result().phases;
    if (phase === undefined) throw new Error("there is no stage");
    const part = phase.agents[0];
    if (part === undefined) throw new Error("there is no agent");
    const statuses = ["success", "failure", "skipped", "excluded", "lost", "stopped"] as const;
    const agents = statuses.map((status) => ({ ...part, agent: status, status }));
    const of = new SummaryByAgent({ ...result(), phases: [{ ...phase, agents }] }, 9).of("nobody");
    expect(of.phases[0]?.agents.map(({ agent }) => agent)).toEqual(["failure", "excluded", "lost", "stopped"]);
    expect(of.phases[0]?.annotations).toEqual([]);
    expect(of.phases[0]).not.toHaveProperty("earlier");
  });
});
