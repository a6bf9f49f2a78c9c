import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  commandEnvironment,
  type EnvironmentOptions,
  hostfile,
  variable,
} from "../../src/agent/process/environment.ts";
import { explainWait, type Wait } from "../../src/agent/waits.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { readPlan } from "../../src/plan/read.ts";

function planOf(text: string): Plan {
  const { plan, problems } = readPlan(text, "plan.yml");
  if (plan === null) throw new Error(JSON.stringify(problems));
  return plan;
}

const plan = planOf(`
env: { A: plan, B: plan, C: plan }
params: { batch_size: { type: integer, default: 8 }, name: { type: string, default: "$(rm -rf /)" } }
agents: [{ id: server-0, address: "10.0.0.1:7000", env: { B: agent, C: agent } }, { id: client-0 }]
stages: [{ name: s, run: "true", env: { C: stage } }]
`);
const [stage] = plan.stages;
if (stage === undefined) throw new Error("no stage");
const server = { name: "server-0", index: 0, role: "server", roleIndex: 0, address: "10.0.0.1:7000" };
const client = { name: "client-0", index: 1, role: "client", roleIndex: 0, address: null };

function environment(overrides: Partial<EnvironmentOptions> = {}): Record<string, string> {
  return made(overrides).variables;
}

function made(overrides: Partial<EnvironmentOptions> = {}) {
  return commandEnvironment({
    inherited: { PATH: "/bin", HOME: "/root", A: "inherited" },
    ownSecrets: [],
    bin: "/tmp/bin",
    plan,
    stage: stage as NonNullable<typeof stage>,
    run: "1/2/1/g/p",
    attempt: "a-1",
    member: server,
    roster: [client, server],
    partition: null,
    outputs: {},
    files: { events: "/e", context: "/c", hostfile: "/h" },
    task: null,
    ...overrides,
  });
}

describe("a command's environment", () => {
  it("has no variable that the guide does not tell of", () => {
    const guide = readFileSync("docs/commands.md", "utf8");
    const whole = environment({
      partition: { start: 0, end: 9 },
      outputs: { prepare: { rows: 3 } },
      task: { value: "a" },
    });
    const ours = Object.keys(whole).filter((name) => name.startsWith("STAGEWRIGHT_"));
    expect(ours.length).toBeGreaterThan(17);
    for (const name of ours) {
      const word = name
        .replace(/^STAGEWRIGHT_/, "_")
        .replace(/^_OUTPUT_PREPARE_ROWS$/, "_OUTPUT_<STAGE>_<KEY>")
        .replace(/^_PARAM_.+/, "_PARAM_<NAME>")
        .replace(/^_ADDRESS_SERVER(_0)?$/, (_, index) => `_ADDRESS_<ROLE>${index === undefined ? "" : "_<N>"}`);
      expect(guide, name).toMatch(new RegExp(`\`(STAGEWRIGHT)?${word}\``));
    }
  });

  it("has a PATH where the machine has none, so that the shell and its tools are found", () => {
    expect(environment({ inherited: {} }).PATH).toBe("/tmp/bin:/usr/local/bin:/usr/bin:/bin");
  });

  it("has the newest outputs that a command can be started with, and says whose are left out", () => {
    const emitted = Object.fromEntries(["a", "b", "c", "d"].map((key) => [key, key.repeat(60_000)]));
    const outputs = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`s-${n}`, emitted]));
    const { variables, leftOut } = made({ outputs });
    const size = Object.entries(variables).reduce((sum, [name, value]) => sum + name.length + value.length + 2, 0);
    expect(size).toBeLessThan(600_000);
    expect(variables.STAGEWRIGHT_OUTPUT_S_11_D).toBe("d".repeat(60_000));
    expect(variables.STAGEWRIGHT_OUTPUT_S_0_A).toBeUndefined();
    expect(leftOut).toContain("s-0");
    expect(leftOut).not.toContain("s-11");
    expect(made({ outputs: { "s-0": emitted } }).leftOut).toEqual([]);
  });

  it("has what a run: step has, less what is ours", () => {
    const inherited = {
      PATH: "/bin",
      GITHUB_SHA: "abc",
      GITHUB_OUTPUT: "/out",
      "INPUT_GITHUB-TOKEN": "secret",
      STATE_isPost: "true",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "secret",
      ACTIONS_RUNTIME_TOKEN: "secret",
      STAGEWRIGHT_SECRET: "secret",
      STAGEWRIGHT_EVENTS: "/outer",
      MY_TOKEN: "secret",
    };
    const env = environment({ inherited, ownSecrets: ["MY_TOKEN"] });
    expect(Object.values(env)).not.toContain("secret");
    expect(env).toMatchObject({
      GITHUB_SHA: "abc",
      GITHUB_OUTPUT: "/out",
      PATH: "/tmp/bin:/bin",
      STAGEWRIGHT_EVENTS: "/e",
    });
    expect(Object.keys(env).filter((name) => /^(INPUT|STATE|ACTIONS)_/.test(name))).toEqual([]);
  });

  it("takes the plan's variables, then the agent's, then the stage's", () => {
    expect(environment()).toMatchObject({ A: "plan", B: "agent", C: "stage" });
    expect(environment({ member: client })).toMatchObject({ A: "plan", B: "plan", C: "stage" });
  });

  it("tells the group, the run and the parameters", () => {
    expect(environment({ partition: { start: 0, end: 5 }, task: { value: { id: 1 } } })).toMatchObject({
      STAGEWRIGHT_AGENT_INDEX: "0",
      STAGEWRIGHT_AGENT_COUNT: "2",
      STAGEWRIGHT_AGENT_NAME: "server-0",
      STAGEWRIGHT_ROLE: "server",
      STAGEWRIGHT_ROLE_INDEX: "0",
      STAGEWRIGHT_RUN: "1/2/1/g/p",
      STAGEWRIGHT_STAGE: "s",
      STAGEWRIGHT_ATTEMPT: "a-1",
      STAGEWRIGHT_PARTITION_START: "0",
      STAGEWRIGHT_PARTITION_END: "5",
      STAGEWRIGHT_TASK: '{"id":1}',
      STAGEWRIGHT_PARAM_BATCH_SIZE: "8",
      STAGEWRIGHT_PARAM_NAME: "$(rm -rf /)",
      STAGEWRIGHT_ADDRESS_SERVER: "10.0.0.1:7000",
      STAGEWRIGHT_ADDRESS_SERVER_0: "10.0.0.1:7000",
    });
    expect(environment()).not.toHaveProperty("STAGEWRIGHT_ADDRESS_CLIENT");
    expect(environment()).not.toHaveProperty("STAGEWRIGHT_TASK");
  });

  it("has scalar outputs of earlier stages, and none that the system would refuse", () => {
    const outputs = {
      "epoch-1": { loss: 0.5, ok: true, list: [1], nothing: null, huge: "x".repeat(200_000), nul: "a\0b" },
    };
    const env = environment({ outputs });
    expect(env).toMatchObject({ STAGEWRIGHT_OUTPUT_EPOCH_1_LOSS: "0.5", STAGEWRIGHT_OUTPUT_EPOCH_1_OK: "true" });
    expect(Object.keys(env).filter((name) => name.includes("_EPOCH_1_"))).toHaveLength(2);
  });

  it("says which outputs are in no variable: those too long, and those whose variable another one has", () => {
    const outputs = { "build-a": { log: "x".repeat(70_000), b: 1 }, build: { "a.b": 2, "a-b": 3 } };
    const { variables, remarks } = made({ outputs });
    expect(variables).toMatchObject({ STAGEWRIGHT_OUTPUT_BUILD_A_B: "3" });
    expect(remarks).toEqual([
      "outputs build.a-b and build.a.b have one variable, STAGEWRIGHT_OUTPUT_BUILD_A_B: it has the first, both are in $STAGEWRIGHT_CONTEXT",
      "outputs build.a-b and build-a.b have one variable, STAGEWRIGHT_OUTPUT_BUILD_A_B: it has the first, both are in $STAGEWRIGHT_CONTEXT",
      "output build-a.log is too long for a variable: it is in $STAGEWRIGHT_CONTEXT alone",
    ]);
  });

  it.each([
    ["epoch-1", "EPOCH_1"],
    ["a.b c", "A_B_C"],
  ])("names %s %s", (name, expected) => {
    expect(variable(name)).toBe(expected);
  });

  it("lists hosts by index, without ports", () => {
    const six = { name: "six", index: 2, role: null, roleIndex: 0, address: "[::1]:7000" };
    expect(hostfile([six, client, server])).toBe("10.0.0.1\n::1\n");
  });
});

describe("a wait", () => {
  const at = Date.UTC(2026, 0, 1, 12, 0, 0);
  const wait = (overrides: Partial<Wait>): Wait => ({
    do: "wait",
    reason: "barrier",
    stage: 0,
    who: [],
    since: at,
    until: at + 120_000,
    ...overrides,
  });

  it("says for what, for whom, since when, what they were doing, until when", () => {
    const who = [{ agent: "node-3", lastSeenAt: at + 36_000, lastDoing: "running s" }];
    expect(explainWait(wait({ who }), plan, at + 40_000)).toBe(
      "waiting at the barrier of s for 40 s (since 12:00:00); node-3 (last seen 4 s ago: running s); until 12:02:00",
    );
  });

  it("names the first and counts the rest", () => {
    const who = Array.from({ length: 100 }, (_, n) => ({ agent: `n-${n}`, lastSeenAt: null, lastDoing: "" }));
    const text = explainWait(wait({ reason: "assembly", stage: null, who }), plan, at);
    expect(text).toContain("until the group is complete");
    expect(text).toContain("n-7 (not seen yet) and 92 more");
  });

  it("for a person has no limit", () => {
    expect(explainWait(wait({ reason: "checkpoint", until: null }), plan, at)).toContain("a person decides");
  });
});
