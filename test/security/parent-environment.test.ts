/** What a command of a plan finds in the processes above it, which run as the same user. */
import { spawn } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { TestRunner } from "../action/step-runner.ts";
import { program } from "../programs.ts";

let runner: TestRunner | null = null;
afterEach(async () => {
  await runner?.remove();
  runner = null;
});

const SECRETS = {
  ACTIONS_RUNTIME_TOKEN: "runtime-t0ken",
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: "oidc-t0ken",
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://runner.invalid/?key=oidc-k3y",
  STAGEWRIGHT_COORDINATOR_SECRET: "shared-s3cret-shared-s3cret-shared-s3cret",
};
const ANY = /ghs_step|t0ken|k3y|s3cret/u;

/** Walks up to the process that the test started, and copies what each shows of its variables. */
const LOOK = `
pid=$PPID
for up in 1 2 3; do
  [ "$pid" -gt 1 ] || break
  [ "$(tr '\\0' ' ' < /proc/$pid/cmdline | grep -c vitest)" = 0 ] || break
  tr -s '\\0' '\\n' < /proc/$pid/environ >> seen
  echo "== $up" >> seen
  pid=$(awk '/^PPid:/ { print $2 }' /proc/$pid/status)
done
kill -USR1 $PPID
sleep 0.5
`;

function indented(script: string): string {
  return script.replaceAll("\n", "\n      ");
}

describe.runIf(process.platform === "linux")("the processes above a command", () => {
  it("show none of the step's tokens in /proc, and open no debugger", async () => {
    runner = await TestRunner.create({
      "plan.yml": `stages:\n  - name: look\n    run: |${indented(LOOK)}\n`,
    });
    const result = await runner.run({
      inputs: { plan: "plan.yml", "github-token": "ghs_step", report: "commands" },
      env: { ...SECRETS, MINE: "yes" },
    });
    expect(result.code).toBe(0);
    const seen = runner.file("seen") ?? "";
    // It was the step's own process that was looked at.
    expect(seen).toContain("INPUT_GITHUB-TOKEN=\nINPUT_REPORT=\n");
    expect(seen).toContain("MINE=yes");
    expect(seen).not.toMatch(ANY);
    expect(result.stderr).not.toContain("Debugger");
  });

  it("show nothing of the secret of a group on the command line", async () => {
    runner = await TestRunner.create({
      "plan.yml": `stages:\n  - name: look\n    runs_on: first\n    run: |${indented(LOOK)}\n`,
    });
    const { workspace } = runner;
    const args = ["run", "plan.yml", "--agents", "2"];
    const child = spawn(process.execPath, [program("src/cli.ts"), ...args], {
      cwd: workspace,
      env: { PATH: process.env.PATH, HOME: runner.root, ...SECRETS, MINE: "yes" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(stderr).not.toContain("Debugger");
    expect(code, stderr).toBe(0);
    const seen = runner.file("seen") ?? "";
    // The agent, and the process that started it.
    expect(seen.split("MINE=yes")).toHaveLength(3);
    expect(seen).not.toContain("s3cret");
  });
});
