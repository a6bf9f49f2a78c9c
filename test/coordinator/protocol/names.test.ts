import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readEvent } from "../../../src/agent/output/event-schema.ts";
import { PROTOCOL } from "../../../src/coordinator/protocol/protocol.ts";
import type { Serving } from "../../../src/coordinator/server/serve.ts";
import { escapeUnprintable, PRINTABLE } from "../../../src/plan/parsing/names.ts";
import { readPlan } from "../../../src/plan/read.ts";
import { joinOf, keyOf, planOf, SECRET, startCoordinator } from "../builders.ts";
import { get, join, post } from "../server/raw.ts";

const PLAN = planOf("name: group\nagents: 2\nstages:\n  - { name: work, run: 'true' }");
const [STAGE] = PLAN.stages;

/** What must neither be taken nor be said again as it is. */
const FOREIGN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;
const CHARACTERS = ["\u0000", "\u001b", "\n", "\u007f", "\u009b", "\u061c", "\u2028", "\u202e", "\u2066", "\ufeff"];

let serving: Serving;
let errors: unknown[];
beforeEach(async () => {
  errors = [];
  serving = await startCoordinator({ errors });
});
afterEach(() => serving.close());

describe("names that are not what they look like", () => {
  const fields: readonly [string, (name: string) => Record<string, unknown>][] = [
    ["agent", (name) => ({ agent: name })],
    ["role", (name) => ({ role: name })],
    ["address", (name) => ({ address: name })],
    ["key.repositoryId", (name) => ({ key: { ...keyOf(PLAN), repositoryId: name } })],
    ["key.runId", (name) => ({ key: { ...keyOf(PLAN), runId: name } })],
    ["key.group", (name) => ({ key: { ...keyOf(PLAN), group: name } })],
    ["key.plan", (name) => ({ key: { ...keyOf(PLAN), plan: name } })],
    ["plan.name", (name) => ({ plan: { ...PLAN, name } })],
    ["plan.stages.0.name", (name) => ({ plan: { ...PLAN, stages: [{ ...STAGE, name }] } })],
    ["plan.stages.0.role", (name) => ({ plan: { ...PLAN, stages: [{ ...STAGE, role: name }] } })],
    ["plan.agents.0.id", (name) => ({ plan: { ...PLAN, agents: [{ id: name, address: null, env: {} }] } })],
    ["plan.roles.", (name) => ({ plan: { ...PLAN, roles: { [name]: 2 } } })],
    ["body", (name) => ({ [name]: 1 })],
  ];

  it.each(fields)("are refused as %s, by name of the field, and are not said again", async (field, sent) => {
    for (const character of CHARACTERS) {
      const body = {
        protocol: PROTOCOL,
        nonce: "a-nonce-long-enough",
        ...joinOf(PLAN, "node-0"),
        ...sent(`a${character}b`),
      };
      const said = await post(serving.address, "/api/runs/join", SECRET, body);
      expect([said.status, said.code]).toEqual([400, "invalid"]);
      expect(said.message).toContain(`the body does not fit the protocol: ${field}`);
      expect(said.message).not.toMatch(FOREIGN);
    }
    expect(errors).toEqual([]);
    const { run } = await join(serving.address, joinOf(PLAN, "node-0"));
    expect((await get(serving.address, `/api/runs/${run}`, SECRET)).status).toBe(200);
  });

  it("may be in any language", async () => {
    for (const [index, agent] of ["größer-1", "節点 ２", "👩‍🚀"].entries()) {
      const key = keyOf(PLAN, { runId: `run-${index}` });
      expect((await join(serving.address, joinOf(PLAN, agent, { key }))).status).toBe(200);
    }
  });

  it("in a plan's commands, which may hold anything, are escaped where two plans are compared", async () => {
    const withCommand = (script: string) => ({
      ...PLAN,
      stages: PLAN.stages.map((stage) => ({ ...stage, command: { kind: "script" as const, script } })),
    });
    expect((await join(serving.address, joinOf(PLAN, "node-0"))).status).toBe(200);
    const said = await join(serving.address, joinOf(withCommand("a\u202eb"), "node-1"));
    expect(said.code).toBe("different_plan");
    expect(said.message).toContain("a\\u202eb");
    expect(said.message).not.toMatch(FOREIGN);
  });

  it("are refused with what a command tells, before a coordinator refuses the whole report", () => {
    for (const character of CHARACTERS) {
      const name = `a${character}b`;
      for (const event of [
        { metric: { name, value: 1 } },
        { histogram: { name, value: 1 } },
        { output: { [name]: 1 } },
      ]) {
        const said = readEvent(JSON.stringify(event));
        expect(said).toEqual(expect.any(String));
        expect(said).not.toMatch(FOREIGN);
      }
    }
  });

  it("are refused as a plan's name, in the file already", () => {
    const { plan, problems } = readPlan('name: "a\\u202Eb"\nstages: [{ name: work, run: "true" }]', "plan.yml");
    expect(plan).toBeNull();
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining("expected text on one line")]);
    expect(readPlan("stages: [{ name: work, run: 'true' }]", "a\u202eb\nc.yml").plan?.name).toBe("abc");
  });
});

it("escaped text is printable, and printable text is left alone", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
      const escaped = escapeUnprintable(text);
      expect(escaped).toMatch(PRINTABLE);
      expect(escaped === text).toBe(PRINTABLE.test(text));
      expect(escaped).not.toMatch(FOREIGN);
    }),
  );
});
