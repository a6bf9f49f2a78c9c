import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench } from "./cli.ts";

const example = (name: string): string => fileURLToPath(new URL(`../../examples/policies/${name}`, import.meta.url));
const POLICY = example("three-bots.yml");
const FACTS = example("three-bots.facts.json");

let bench: Bench;
beforeAll(() => {
  bench = new Bench();
});
afterAll(() => bench.dispose());

async function told(...args: string[]) {
  const { code, stdout, stderr } = await bench.run(["simulate", "--policy", POLICY, "--facts", FACTS, ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

describe("simulate", () => {
  it("says where a pull request is, why, and what would be done", async () => {
    const text = await told();
    expect(text).toContain("stage    ready-for-qa, since 2026-03-02T09:10:00.000Z");
    expect(text).toContain("missing  approved: an approval is missing on the head commit");
    expect(text).toContain("✓ label ready-for-qa: label ready-for-qa by cleo[bot]");
    expect(text).toContain("add the label stage/ready-for-qa");
    expect(text).toContain("start qa.yml for aaaaaaa1 with pr=7, at most 1 at once (ready-for-qa)");
    expect(text).toContain("comment: Task 7: over to");
  });

  it("says what an event would change, and nothing about what stands already", async () => {
    const text = await told("--event", "qa-passed-and-approved");
    expect(text).toContain("stage    ready-for-qa → approved");
    expect(text).toContain("take off the label stage/ready-for-qa");
    expect(text).toContain("merge aaaaaaa1 (squash)");
    expect(text).not.toContain("start qa.yml");
  });

  it.each([
    ["qa-passed", "ready-for-qa", 0],
    ["qa-failed", "pr-created", 1],
    ["push", "pr-created", 0],
    ["push-by-the-formatter", "ready-for-qa", 0],
    ["approved-by-a-visitor", "ready-for-qa", 0],
  ])("after %s it is in %s", async (event, stage, rounds) => {
    expect(JSON.parse(await told("--json", "--event", event))).toMatchObject({ from: "ready-for-qa", stage, rounds });
  });

  it("gives the whole result as JSON: tree, labels, checks, actions", async () => {
    const result = JSON.parse(await told("--json", "--event", "qa-failed"));
    expect(result).toMatchObject({
      add_labels: ["stage/pr-created"],
      actions: [{ stage: "pr-created", occasion: "back", passed: false, effects: [] }],
      resets: [{ why: "back", by: "tess[bot]", note: "qa.yml failed", at: "2026-03-02T09:20:00.000Z" }],
      cancels_runs: false,
      unknown: [],
    });
    expect(result.remove_labels).toEqual(["stage/ready-for-qa", "ready-for-qa"]);
    expect(result.stages[2].result.children[1]).toMatchObject({ condition: "workflow qa.yml", holds: false });
  });

  it("grants nothing to people of whom the file tells nothing, and says what it does not know", async () => {
    const facts = {
      pull: { number: 1, author: "alice", head: "abcd" },
      acts: [{ do: "labeled", at: "1m", by: "somebody", label: "ready-for-qa" }],
    };
    bench.file("facts.json", JSON.stringify(facts));
    const { stdout } = await bench.run(["simulate", "--facts", "facts.json"]);
    expect(stdout).toContain("stage    pr-created");
    expect(stdout).toContain("not known, so it grants nothing\n  the permission of somebody");
    bench.file("facts.json", JSON.stringify({ ...facts, people: { somebody: { permission: "write" } } }));
    const known = await bench.run(["simulate", "--facts", "facts.json"]);
    expect(known.stdout).toContain("stage    ready-for-qa");
  });

  it.each([
    [[], "expected --pr, a pull request's address, or --facts"],
    [["--pr", "https://github.com/o/r/pull/1"], "GITHUB_TOKEN: expected a token"],
    [["--facts", "absent.json"], "there is no such file"],
    [["--facts", "text.json"], "text.json: is not JSON"],
    [["--facts", "wrong.json"], "wrong.json: acts[0].do: expected do: labeled"],
    [["--facts", "wrong.json"], 'wrong.json: unknown key "chekcs"; did you mean "checks"?'],
    [["--facts", "early.json"], "early.json: acts[0].at: expected a date not before the opening"],
    [["--facts", FACTS, "--event", "nope"], "expected qa-passed | "],
    [["--facts", FACTS, "--policy", "bad.yml"], "bad.yml:1:1: error:"],
    [["--facts", FACTS, "--policy", "extends.yml"], "read from GitHub only together with --pr"],
  ])("%j exits 2 and says %s", async (args, message) => {
    bench.file("text.json", "no");
    const pull = { number: 1, author: "alice", head: "abcd" };
    bench.file("wrong.json", JSON.stringify({ pull, acts: [{ do: "labelled" }], chekcs: [] }));
    const early = { do: "drafted", at: "2020-01-01T00:00:00Z", by: "alice" };
    bench.file("early.json", JSON.stringify({ pull, acts: [early] }));
    bench.file("bad.yml", "version: 1");
    bench.file("extends.yml", "extends: org/.github");
    const { code, stdout, stderr } = await bench.run(["simulate", ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/\n\s+at .*\(/);
  });

  it("lets nothing of a file reach the terminal as a control sequence", async () => {
    bench.file("evil.json", JSON.stringify({ pull: { number: 1, author: "a", head: "abcd", title: "\u001b[2Jx\ny" } }));
    const { stdout } = await bench.run(["simulate", "--facts", "evil.json"]);
    expect(stdout.split("\n")[0]).toBe("#1 x y, by a, head abcd");
  });
});

describe("validate, with policies", () => {
  const BAD =
    "version: 1\nstages:\n  - name: a\n    enter: { drft: false }\n  - name: a\n    enter: { draft: false }\n";

  it("tells policies from plans by their keys", async () => {
    bench.file("plan.yml", "stages: [{ name: a, run: 'true' }]");
    expect((await bench.run(["validate", POLICY, "plan.yml"])).stdout).toBe(
      `${POLICY}: ok, a policy with 3 stages\nplan.yml: ok, 1 stage\n`,
    );
  });

  it("says everything that is wrong with one, at its place, and exits 2", async () => {
    bench.file("bad.yml", BAD);
    const { code, stdout } = await bench.run(["validate", "bad.yml"]);
    expect(code).toBe(2);
    expect(stdout).toContain("bad.yml:4:14: error:");
    expect(stdout).toContain("bad.yml:5:");
    expect(stdout).not.toContain("ok,");
  });

  it("takes any file for a policy when told to", async () => {
    bench.file("odd.yml", "stages: [{ name: a }]");
    expect(await bench.run(["validate", "--policy", "odd.yml"])).toMatchObject({
      code: 2,
      stdout: expect.stringContaining("enter: expected a condition"),
    });
  });
});

it("prints the JSON Schema of policies", async () => {
  const { code, stdout } = await bench.run(["schema", "policy"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).title).toBe("Stagewright policy");
});
