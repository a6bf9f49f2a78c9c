/** What froze the app, or an agent, when it was attacked: each takes a time that grows with it and no faster. */
import { expect, it } from "vitest";
import { Masks } from "../../src/agent/masking/masks.ts";
import { CommandReader } from "../../src/agent/output/workflow-commands.ts";
import { readPolicy } from "../../src/lifecycle/policy/read-policy.ts";
import { problemAnnotations } from "../../src/report/annotations.ts";
import { growth } from "./growth.ts";

it("a proposed policy with two braces and 20,000 spaces", () => {
  const policyOf = (spaces: number) =>
    `stages: [{ name: a, enter: { draft: false }, on_enter: [{ repository_dispatch: { event_type: b, payload: { c: "{{${" ".repeat(spaces)}" } } }] }]`;
  expect(readPolicy(policyOf(5_000)).problems).toEqual([]);
  expect(readPolicy(policyOf(60_000)).problems).toHaveLength(1);
  expect(growth(20_000, (size) => () => readPolicy(policyOf(size)))).toMatchObject({ grows: false });
});

it("six annotations of 64 KB with an unfinished escape", () => {
  const annotations = (size: number) =>
    Array.from({ length: 6 }, (_, n) => ({
      severity: "error" as const,
      file: "plan.yml",
      line: n + 1,
      column: 1,
      message: `${"\u001b]".repeat(size / 2)}end`,
    }));
  expect(problemAnnotations(annotations(1_000))[0]?.message).toBe("end");
  expect(
    growth(65_536, (size) => {
      const made = annotations(size);
      return () => problemAnnotations(made);
    }),
  ).toMatchObject({ grows: false });
});

it("5,000 masks, with a line of output after each", () => {
  const output = (lines: number) => () => {
    const masks = new Masks();
    const reader = new CommandReader();
    let shown = "";
    for (let n = 0; n < lines; n += 1) {
      const said = reader.read(`::add-mask::secret number ${n * 7919}`);
      if (said?.kind === "mask") masks.add(said.value);
      shown = masks.text(`it is secret number ${n * 7919}, not another one`);
    }
    return shown;
  };
  expect(output(50)()).toBe("it is ***, not another one");
  expect(growth(5_000, output)).toMatchObject({ grows: false });
});
