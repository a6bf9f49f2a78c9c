import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { CheckServer } from "../github/check-server.ts";
import { BUNDLE_ENTRY, BUNDLE_POST, TestRunner } from "./step-runner.ts";

let runner: TestRunner | null = null;
let server: CheckServer | null = null;
afterEach(async () => {
  await runner?.remove();
  await server?.stop();
  runner = null;
  server = null;
});

describe("the shipped bundle", () => {
  it("runs a plan, whose commands find the bundled command line, and writes the check run", async () => {
    server = await new CheckServer().start();
    runner = await TestRunner.create({
      "plan.yml":
        'stages:\n  - { name: train, run: stagewright emit loss=0.25 }\n  - { name: save, run: exit 3, optional: true }\n  - { name: look, run: \'! tr "\\0" "\\n" < /proc/$PPID/environ | grep -q TOKEN=token\' }\n',
    });
    const given = {
      inputs: { plan: "plan.yml", "github-token": "token" },
      env: { GITHUB_API_URL: server.url },
    };
    const result = await runner.run({ ...given, entry: BUNDLE_ENTRY });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const results = JSON.parse(readFileSync(result.outputs.get("results-file") ?? "", "utf8"));
    expect(results.phase_results[0]).toMatchObject({ phase: "train", success: true, output_data: { loss: 0.25 } });
    expect(server.checks).toMatchObject([
      { status: "completed", conclusion: "success", annotations: [{ path: "plan.yml", start_line: 3 }] },
    ]);
    const post = await runner.run({ ...given, entry: BUNDLE_POST, state: result.state });
    expect(result.state.size).toBe(1);
    expect(post).toMatchObject({ code: 0, raw: "", stderr: "" });
  });
});
