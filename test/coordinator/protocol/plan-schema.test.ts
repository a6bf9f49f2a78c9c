import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { planSchema } from "../../../src/coordinator/protocol/plan-schema.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { readPlan } from "../../../src/plan/read.ts";
import { planOf } from "../builders.ts";

type Frozen<T> = T extends (infer U)[] | readonly (infer U)[]
  ? readonly Frozen<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Does not compile when a plan gains, loses or changes a key and the wire's schema does not. */
const isSame: Same<Frozen<z.infer<typeof planSchema>>, Frozen<Plan>> = true;

const PLAN = planOf(`
name: all
agents: 4
roles: { server: 1, client: 3 }
params: { epochs: { type: integer, default: 3 } }
stages:
  - { name: server, role: server, run: ./serve, background: true, ready: { port: 5432 } }
  - { name: shards, tasks: [1, { id: a, deep: [true, null] }], concurrency: 2, needs: { a: [1] }, run: ./shard, max_failures: 2 }
  - { name: epoch, duration: 1h, run: ./train.sh, barrier: majority, expect: { loss: "< 3" } }
  - { name: save, command: /bin/save, args: ["--now"], retry: { max_attempts: 3, backoff: 1s }, thresholds: { max_errors: 3 } }
`);

describe("the plan on the wire", () => {
  it("has the type that the rest of the house knows", () => {
    expect(isSame).toBe(true);
  });

  it("comes through unchanged, whatever plan of the examples it is", () => {
    const directory = "examples";
    const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) =>
      /plan.*\.ya?ml$/.test(name),
    );
    const plans = files.flatMap((name) => {
      const { plan } = readPlan(readFileSync(join(directory, name), "utf8"), name);
      return plan === null ? [] : [plan];
    });
    for (const plan of [PLAN, ...plans]) expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
  });

  const first = PLAN.stages[0];
  it.each<[string, unknown]>([
    ["an unknown key", { ...PLAN, extra: 1 }],
    ["no stages", { ...PLAN, stages: [] }],
    ["two stages of one name", { ...PLAN, stages: [first, { ...first, index: 1 }] }],
    ["a wrong number of a stage", { ...PLAN, stages: [{ ...first, index: 3 }] }],
    ["an agent count beyond all bounds", { ...PLAN, agentCount: 1_000_000 }],
    ["a million tasks", { ...PLAN, stages: [{ ...first, tasks: { source: { kind: "count", count: 1_000_000 } } }] }],
    ["a timeout that never ends", { ...PLAN, stages: [{ ...first, timeoutMs: Number.MAX_VALUE }] }],
    ["text in place of a number", { ...PLAN, stages: [{ ...first, timeoutMs: "1h" }] }],
    ["a list", []],
  ])("is refused with %s", (_name, plan) => {
    expect(planSchema.safeParse(plan).success).toBe(false);
  });
});
