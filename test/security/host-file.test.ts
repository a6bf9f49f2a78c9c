/** What another agent, a plan or an input says an address is gets into host files: it stays one word there. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readInputs } from "../../src/action/input/inputs.ts";
import { hostfile } from "../../src/agent/process/environment.ts";
import { agent } from "../../src/cli/run/agent.ts";
import { planSchema } from "../../src/coordinator/protocol/plan-schema.ts";
import { joinBodySchema, PROTOCOL, syncAnswerSchema } from "../../src/coordinator/protocol/protocol.ts";
import { splitAddress } from "../../src/plan/parsing/address.ts";
import { readPlan } from "../../src/plan/read.ts";
import { joinOf, planOf } from "../coordinator/builders.ts";

const PLAN = planOf("stages:\n  - { name: only, run: 'true' }\n");

function joined(address: string): boolean {
  const join = { ...joinOf(PLAN, "node-0"), protocol: PROTOCOL, nonce: "0123456789abcdef", address };
  return joinBodySchema.safeParse(join).success;
}

/** What an agent is told of another one; null: of no use. */
function told(address: string): string | null {
  const agents = [{ name: "a", index: 0, role: null, roleIndex: 0, address }];
  const answer = { instruction: { do: "wait" }, now: 1, outputs: null, more: false, notices: [], notice: 0 };
  return (
    syncAnswerSchema
      .parse({ ...answer, roster: { version: "1", from: null, pieces: [agents] } })
      .roster?.pieces.flat()[0]?.address ?? null
  );
}

/** Each place where an address comes in: whether it is taken. */
const ENTRIES: Record<string, (address: string) => boolean> = {
  "the plan's file": (address) =>
    readPlan(JSON.stringify({ agents: [{ address }], stages: [{ name: "only", run: "true" }] }), "plan.yml").plan !==
    null,
  "the plan on the wire": (address) =>
    planSchema.safeParse({ ...PLAN, agents: [{ id: "a", address, env: {} }] }).success,
  "a message to join": joined,
  "the roster told by a coordinator": (address) => told(address) !== null,
  "the input advertise": (address) => "inputs" in readInputs({ INPUT_PLAN: "p", INPUT_ADVERTISE: address }),
  "the input listen": (address) => "inputs" in readInputs({ INPUT_PLAN: "p", INPUT_LISTEN: address }),
  "what is shown by others": (address) => {
    try {
      return splitAddress(address).host !== "";
    } catch {
      return false;
    }
  },
};

const ATTACKS = [
  "node1 slots=64",
  "node1#:7761",
  "node1 # :7761",
  "-oProxyCommand=x",
  "-v:7761",
  "--help",
  "node1\nnode2:1",
  "node1\tevil:1",
  "node1\u00a0x:1",
  "$(id):1",
  "`id`:1",
  "a;b:1",
  "a|b:1",
  "a'b:1",
  "user@node1:1",
  "${{ x }}:1",
  "[::1%eth0]:1",
  "[-]:1",
  "[..]:1",
  ".hidden:1",
];

it.each(ATTACKS)("%j is an address nowhere", (address) => {
  expect(Object.keys(ENTRIES).filter((entry) => ENTRIES[entry]?.(address))).toEqual([]);
});

it.each(["node1:7761", "10.0.0.1:7761", "[fd00::1]:7761", "gpu_3.rack-2.example.com:1"])(
  "%s is one everywhere",
  (address) => {
    expect(Object.keys(ENTRIES).filter((entry) => ENTRIES[entry]?.(address))).toEqual(Object.keys(ENTRIES));
  },
);

it("--address of the command is checked before anything is asked", async () => {
  const env = { STAGEWRIGHT_COORDINATOR_SECRET: "s" };
  await expect(
    agent({ coordinator: "http://127.0.0.1:1", run: "r", agentName: "a", address: "node1 # x" }, env),
  ).rejects.toThrow(/--address node1 # x: expected a host/u);
});

describe("whatever is taken somewhere", () => {
  const word = fc.stringMatching(/^[-\w.:[\]#$ @%"'\\\n\u2028é]{1,12}$/u);
  const likely = fc.tuple(word, fc.constantFrom("", ":1", ":7761")).map(([host, port]) => `${host}${port}`);

  it("is one word of a host file that is no option", () => {
    fc.assert(
      fc.property(fc.oneof(likely, fc.string(), fc.constantFrom(...ATTACKS)), (address) => {
        if (!joined(address) && told(address) === null) return;
        const file = hostfile([{ name: "a", index: 0, role: null, roleIndex: 0, address }]);
        expect(file).toMatch(/^[A-Za-z0-9_:][A-Za-z0-9_.:-]*\n$/u);
      }),
    );
  });
});
