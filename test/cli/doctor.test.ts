import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench } from "./cli.ts";

let bench: Bench;
let server: Server;
beforeEach(() => {
  bench = new Bench();
});
afterEach(async () => {
  bench.dispose();
  if (server?.listening) await new Promise((resolve) => server.close(resolve));
});

const PLAN = `
agents: 3
stages:
  - { name: look, type: validation, checks: [{ variable: DATASET }, { tool: sh }, { tool: gone }] }
  - { name: save, command: ./save.sh }
  - { name: work, run: ./work.sh }
`;

/** GitHub, as far as it is looked at: a path's answer, or its refusal. */
async function github(answers: Readonly<Record<string, { readonly status?: number; readonly body: unknown }>>) {
  server = createServer(({ url = "" }, response) => {
    const { status = 200, body } = answers[url.split("?")[0] ?? ""] ?? { status: 404, body: { message: "Not Found" } };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, GITHUB_TOKEN: "t" };
}

describe("stagewright doctor", () => {
  it("says what the machine lacks for a plan, with what to do about it, and runs nothing of it", async () => {
    bench.file("plan.yml", PLAN);
    const { code, stdout } = await bench.run(["doctor", "plan.yml"], { DATASET: "" });
    expect(code).toBe(1);
    const lines = stdout.split("\n").map((line) => line.trim());
    expect(lines).toContain("plan plan");
    expect(lines).toContain("✓ look: tool sh");
    expect(lines).toContain(
      "✗ look: variable DATASET: it is empty (configuration: set it in the step's env, or in the plan's)",
    );
    expect(lines).toContain("✗ look: tool gone: it is not on the PATH (configuration: install it on the runner)");
    expect(lines).toContainEqual(expect.stringMatching(/^✗ save: tool .\/save.sh: there is no such program/));
    expect(lines.at(-2)).toBe("3 things are lacking");
  });

  it("says what a repository's set-up lacks: permissions, guarded environments, runners", async () => {
    bench.file("plan.yml", "agents: 3\nstages: [{ name: a, run: x }]\n");
    const runner = (name: string, status: string, ...labels: string[]) => ({
      name,
      status,
      busy: false,
      labels: labels.map((label) => ({ name: label })),
    });
    const env = await github({
      "/repos/o/r": { body: { full_name: "o/r", default_branch: "main", private: true } },
      "/repos/o/r/commits/HEAD/check-runs": { status: 403, body: { message: "Resource not accessible" } },
      "/repos/o/r/actions/runs": { body: { workflow_runs: [] } },
      "/repos/o/r/environments": {
        body: {
          environments: [
            { name: "qa", protection_rules: [{ type: "wait_timer" }] },
            { name: "prod", protection_rules: [{ type: "custom" }] },
          ],
        },
      },
      "/repos/o/r/actions/runners": {
        body: {
          runners: [
            runner("n1", "online", "bench", "x64"),
            runner("n2", "offline", "bench"),
            runner("n3", "online", "x64"),
          ],
        },
      },
    });
    const { code, stdout } = await bench.run(
      ["doctor", "plan.yml", "--repository", "o/r", "--labels", "bench", "--json"],
      env,
    );
    expect(code).toBe(1);
    const { success, sections } = JSON.parse(stdout);
    expect(success).toBe(false);
    expect(sections.at(-1)).toMatchObject({
      title: "repository o/r",
      notes: expect.arrayContaining([
        "environment qa: wait_timer; no app guards it, so its jobs do not wait for a stage",
        "environment prod: custom",
      ]),
      findings: [
        { category: "permission", what: "check runs", remedy: "give the token checks: read" },
        { category: "resource", what: "runners bench", message: "1 online, 3 agents run at once; offline: n2" },
      ],
    });
  });

  it.each([
    [401, "authentication", "the token is refused"],
    [404, "permission", "it does not exist, or the token may not see it"],
  ])("tells a token that is answered with %i from one that lacks a right", async (status, category, message) => {
    const env = await github({ "/repos/o/r": { status, body: { message: "no" } } });
    const { code, stdout } = await bench.run(["doctor", "--json"], { ...env, GITHUB_REPOSITORY: "o/r" });
    expect(code).toBe(1);
    expect(JSON.parse(stdout).sections.at(-1).findings).toMatchObject([{ category, what: "repository", message }]);
  });

  it("refuses what cannot be right, without looking", async () => {
    for (const [args, said] of [
      [["doctor", "--repository", "o"], "o: expected a repository as OWNER/NAME"],
      [["doctor", "--repository", "o/r"], "GITHUB_TOKEN: expected a token that may read the repository"],
      [["doctor", "gone.yml"], "gone.yml: there is no such file"],
    ] as const) {
      const { code, stderr } = await bench.run(args);
      expect([code, stderr.trim()]).toEqual([2, said]);
    }
  });
});
