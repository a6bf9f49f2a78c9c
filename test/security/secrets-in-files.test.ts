/** A group's secrets, told in every way that a command can tell something, are in nothing that is written of its run. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { REPORT_FORMATS } from "../../src/cli/report.ts";
import { Bench } from "../cli/cli.ts";

const PASSWORD = "correct/horse+battery staple";
const API_KEY = "sk-live-0123456789abcdef";
const PLAN = `agents: 2
secrets: [DB_PASSWORD, API_KEY]
params: { where: { type: string, default: here } }
stages:
  - name: tell
    collect: ["log-*", "$API_KEY"]
    run: |
      tell() { printf '%s\\n' "$1" >> "$STAGEWRIGHT_EVENTS"; }
      stagewright emit "dsn=db:$DB_PASSWORD" "key_$API_KEY=1" "encoded=$(printf %s "$API_KEY" | base64)"
      tell '{"output":{"deep":{"'"$API_KEY"'":["'"$DB_PASSWORD"'"]}}}'
      tell '{"metric":{"name":"rate_'"$API_KEY"'","value":3,"unit":"'"$API_KEY"'","agg":"sum"}}'
      tell '{"annotation":{"path":"'"$API_KEY"'.c","line":1,"level":"warning","title":"'"$API_KEY"'","message":"is '"$DB_PASSWORD"'"}}'
      tell '{"progress":{"done":1,"total":2}}'
      tell '{"'"$API_KEY"'":1}'
      tell 'no JSON: '"$API_KEY"
      echo "::warning file=$API_KEY.c,title=$API_KEY::$DB_PASSWORD"
      echo "::group::$API_KEY"
      echo kept > "log-$API_KEY"
  - name: list
    run: |
      printf '{"task":{"id":"%s","password":"%s"}}\\n' "$API_KEY" "$DB_PASSWORD" >> "$STAGEWRIGHT_EVENTS"
    runs_on: first
    optional: true
  - name: leak
    retry: { max_attempts: 2, backoff: 0s }
    run: |
      echo "failing with $DB_PASSWORD" >&2
      printf '%s' "$API_KEY" | base64
      printf '%s\\n' "$API_KEY" | fold -w 9
      exit 3
`;

const bench = new Bench();
const said: string[] = [];
beforeAll(async () => {
  bench.file("plan.yml", PLAN);
  const files = ["--save-state", "state.json", "--output-file", "result.json", "--collect-to", "kept"];
  const run = await bench.start(["run", "plan.yml", ...files], { DB_PASSWORD: PASSWORD, API_KEY }).outcome;
  said.push(run.stdout, run.stderr);
  expect(run.code, run.stderr).toBe(1);
  for (const format of REPORT_FORMATS) {
    const better = format === "github-action-benchmark" ? ["--better", "bigger"] : [];
    const report = await bench.start(["report", "result.json", "--format", format, ...better]).outcome;
    expect(report.code, report.stderr).toBe(0);
    said.push(report.stdout, report.stderr);
  }
});
afterAll(() => bench.dispose());

/** Files by their names, and what was said; the plan names its secrets, and what is kept of it is a command's own. */
function written(): readonly (readonly [name: string, text: string])[] {
  const files = readdirSync(bench.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/compile|node-/u.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.endsWith("plan.yml") && !path.startsWith(join(bench.directory, "log-")));
  return [
    ...files.map((path) => [path, readFileSync(path, "utf8")] as const),
    ...said.map((text) => ["said", text] as const),
  ];
}

it.each([
  ["as they are", [PASSWORD, API_KEY]],
  ["URL-encoded", [encodeURIComponent(PASSWORD)]],
  ["in base64", [PASSWORD, API_KEY].map((secret) => Buffer.from(secret).toString("base64").slice(4, 16))],
  ["in pieces of a line each", [API_KEY.slice(0, 9), API_KEY.slice(9, 18)]],
])("%s", (_how, spelt) => {
  const texts = written();
  // There is a state, a result, and a report of each kind.
  expect(texts.map(([name]) => name.slice(name.lastIndexOf("/") + 1))).toEqual(
    expect.arrayContaining(["state.json", "result.json"]),
  );
  for (const [name, text] of texts) {
    for (const secret of spelt) {
      expect(text, name).not.toContain(secret);
    }
  }
});

it("and what they stood in is there", () => {
  const texts = written().map(([, text]) => text);
  const state = texts.find((text) => text.includes('"plan_digest"') && text.includes('"global_context"'));
  expect(state).toContain("db:***");
  const result = JSON.parse(bench.read("result.json"));
  expect(result.phase_results[0].output_data).toMatchObject({ dsn: "db:***", encoded: "***" });
  expect(JSON.stringify(result.phase_results[0].metrics)).toContain("rate_***");
  expect(said.join("\n")).toContain("failing with ***");
});
