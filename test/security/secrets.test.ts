/** What becomes of a secret on its way to a log or to GitHub, however it is spelt. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { Masks } from "../../src/agent/masking/masks.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { maskedSummary } from "../../src/report/masked.ts";
import type { PhaseRecord } from "../../src/run/result/record.ts";
import { TestRunner } from "../action/step-runner.ts";
import { planOf } from "../coordinator/builders.ts";
import { CheckServer } from "../github/check-server.ts";
import { program } from "../programs.ts";

function masksOf(...values: readonly string[]): Masks {
  const masks = new Masks();
  for (const value of values) masks.add(value);
  return masks;
}

const SECRET = 'pä55/w0rd+with "quotes" & <marks>';
const TOKEN = "ghs_16C7e42F292c6912E7710c838347Ae178B4a";
const KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEA\n}\n-----END KEY-----\n";

describe("a masked value", () => {
  it.each([
    ["as it is", SECRET],
    ["URL-encoded", encodeURIComponent(SECRET)],
    ["URL-encoded in lower case", encodeURIComponent(SECRET).toLowerCase()],
    ["as in a form", new URLSearchParams({ a: SECRET }).toString().slice(2)],
    ["with every byte encoded", Buffer.from(SECRET).toString("hex").replace(/../g, "%$&")],
    ["in JSON", JSON.stringify(SECRET).slice(1, -1)],
    [
      "in JSON for web pages",
      JSON.stringify(SECRET)
        .slice(1, -1)
        .replace(/[<>&/]/g, (c) => (c === "/" ? "\\/" : `\\u00${c.charCodeAt(0).toString(16)}`)),
    ],
    ["in JSON of ASCII", JSON.stringify(SECRET).slice(1, -1).replace("ä", "\\u00e4")],
    [
      "in XML",
      SECRET.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
    ],
    ["quoted for a shell", SECRET.replace(/[^\w/+ä]/g, "\\$&")],
    ["in JSON within JSON", JSON.stringify(JSON.stringify(SECRET).slice(1, -1)).slice(1, -1)],
    ["URL-encoded twice", encodeURIComponent(encodeURIComponent(SECRET))],
    ["as bytes in Python", SECRET.replace("ä", "\\xc3\\xa4")],
    ["as Git names a file", SECRET.replaceAll('"', '\\"').replace("ä", "\\303\\244")],
    ["in CSV", SECRET.replaceAll('"', '""')],
    ["in colours", [...SECRET].map((c, i) => (i === 0 ? c : `\u001b[3${i % 8}m${c}`)).join("")],
    ["with invisible characters", [...SECRET].join("\u200b")],
  ])("is not shown %s", (_how, spelt) => {
    const masks = masksOf(SECRET);
    expect(masks.text(`before ${spelt} after`)).toBe("before *** after");
    expect(masks.lines()(`before ${spelt} after`)).toBe("before *** after");
  });

  it("is not shown in base64, wherever it begins in what is encoded, in both alphabets", () => {
    const masks = masksOf(TOKEN, SECRET);
    for (const secret of [TOKEN, SECRET]) {
      for (const before of ["", "x", "xy", "xyz", "x-access-token:"]) {
        for (const encoding of ["base64", "base64url"] as const) {
          const encoded = Buffer.from(`${before}${secret}${before}`).toString(encoding);
          const shown = masks.text(`key=${encoded} done`);
          expect(shown).toMatch(/^key=.*\*\*\*.*done$/u);
          // What is left can no longer be decoded to any part of it.
          const left = /^key=([^*]*)\*\*\*([^*]*) done$/u.exec(shown);
          expect((left?.[1] ?? "").length).toBeLessThanOrEqual(Math.ceil((before.length * 4) / 3));
          expect((left?.[2] ?? "").length).toBeLessThanOrEqual(Math.ceil((before.length * 4) / 3) + 4);
        }
      }
    }
  });

  it("with quotes of any kind is not shown as a shell, YAML or SQL quotes it", () => {
    const secret = "it's `5` $o\\'clock";
    const masks = masksOf(secret);
    const twice = secret.replaceAll("'", "''");
    for (const spelt of [
      secret.replaceAll("'", "'\\''"),
      secret.replaceAll("'", "'\"'\"'"),
      twice,
      JSON.stringify(JSON.stringify(twice)).slice(3, -3),
      secret.replace(/[`$]/g, "`$&"),
    ]) {
      expect(masks.text(`+ login '${spelt}' done`)).toBe("+ login '***' done");
      expect(masks.lines()(`+ login '${spelt}' done`)).toBe("+ login '***' done");
    }
    expect(masksOf("don't").text("dont")).toBe("dont");
  });

  it("is not shown in base64 of what was encoded before", () => {
    const masks = masksOf(SECRET, TOKEN);
    for (const secret of [SECRET, TOKEN]) {
      for (const inner of [JSON.stringify({ auth: secret }), Buffer.from(secret).toString("base64")]) {
        const shown = masks.text(`.dockerconfigjson: ${Buffer.from(inner).toString("base64")}`);
        const left = shown.replace(".dockerconfigjson: ", "").replaceAll("***", "").length;
        expect(left).toBeLessThan(30);
      }
    }
  });

  it.each([8, 16, 20, 39])("is not shown by lines of %i characters, nor are they in base64", (width) => {
    const masks = masksOf(TOKEN);
    for (const text of [`${TOKEN}!`, Buffer.from(`machine login ${TOKEN}`).toString("base64")]) {
      const lines = text.match(new RegExp(`.{1,${width}}`, "g")) ?? [];
      const whole = masks.text(lines.map((line) => `  ${line}`).join("\n"));
      const line = masks.lines();
      const one = lines.map((each) => line(`  ${each}`)).join("\n");
      for (const shown of [whole, one]) {
        const seen = shown.replaceAll(/[\s*]/g, "");
        const known = Buffer.from(seen, "base64").toString("latin1") + seen;
        for (let at = 0; at + 8 <= TOKEN.length; at += 1) expect(known).not.toContain(TOKEN.slice(at, at + 8));
        expect(shown.split("\n")).toHaveLength(lines.length);
      }
    }
  });

  it("of several lines is not shown by any of them, though its shortest lines stay readable", () => {
    const masks = masksOf(KEY);
    expect(masks.text(`key:\n${KEY}end {}`)).toBe(`key:\n${"***\n".repeat(5)}end {}`);
    expect(masks.text("MIIEvQIBADANBgkqhkiG9w0 and }")).toBe("*** and }");
    expect(masks.text(JSON.stringify({ key: KEY }))).not.toContain("MIIE");
    expect(masks.text(Buffer.from(KEY.trimEnd()).toString("base64"))).toBe("***==");
  });

  it("of one or two characters is masked as it is, and in no other spelling", () => {
    const masks = masksOf("7", "ab");
    expect(masks.text("7, ab, %61b, a\nb, YWI=")).toBe("***, ***, %61b, a\nb, YWI=");
  });

  it("hides nothing of what is not it", () => {
    const masks = masksOf(TOKEN, SECRET, KEY);
    for (const text of [
      "https://github.com/acme/widgets/actions/runs/1?a=%20b+c",
      "\u001b[31mred\u001b[0m \\n \\u0041 &amp; aGVsbG8gd29ybGQsIGhlbGxv",
      "/usr/local/lib/python3/site-packages/numpy",
    ]) {
      expect(masks.text(text)).toBe(text);
      expect(masks.lines()(text)).toBe(text);
    }
  });

  it("is never shown whole, whatever stands around it and however it is cut into lines", () => {
    const word = fc.string({
      unit: fc.constantFrom("a", "B", "7", "/", "+", " ", "é", "=", "%", "\\"),
      minLength: 6,
      maxLength: 30,
    });
    const secret = word.filter((value) => value.trim().length >= 6 && !value.includes("\\") && !value.includes("%"));
    fc.assert(
      fc.property(secret, word, word, fc.integer({ min: 10, max: 40 }), (value, before, after, width) => {
        const masks = masksOf(value);
        const text = `${before}|${value}|${after}`;
        const line = masks.lines();
        const shown = (text.match(new RegExp(`.{1,${width}}`, "gsu")) ?? []).map(line).join("");
        expect(shown).not.toContain(value);
        expect(masks.text(text)).not.toContain(value);
      }),
    );
  });
});

let runner: TestRunner | null = null;
let github: CheckServer | null = null;
afterEach(async () => {
  await runner?.remove();
  await github?.stop();
  runner = null;
  github = null;
});

const PASSWORD = "correct/horse+battery staple";
const API_KEY = "sk-live-0123456789abcdef";
const PLAN = `secrets: [DB_PASSWORD, STAGE_KEY, DB_PASSWROD]
stages:
  - name: tell
    run: |
      stagewright emit "dsn=db:$DB_PASSWORD"
      stagewright emit "basic=$(printf %s "$API_KEY" | base64)"
  - name: leak
    env: { STAGE_KEY: stage-key-of-the-plan }
    run: |
      echo "the token is $GH_TOKEN, the stage has $STAGE_KEY"
      printf 'x-access-token:%s' "$GH_TOKEN" | base64 -w 24
      echo "db=$DB_PASSWORD" | sed 's/ /%20/g'
      echo "::error file=$API_KEY.c,title=$API_KEY::key $API_KEY"
      echo plain words
      exit 3
`;

/** Whatever a reader could make a secret of. */
function expectNothingIn(text: string): void {
  const seen = text.replaceAll(/::add-mask::.*/g, "");
  for (const secret of [TOKEN, PASSWORD, API_KEY, "stage-key-of-the-plan"]) {
    for (const spelt of [secret, encodeURIComponent(secret), secret.replaceAll(" ", "%20")]) {
      expect(seen).not.toContain(spelt);
    }
    expect(seen).not.toContain(Buffer.from(secret).toString("base64").slice(4, 16));
    expect(seen).not.toContain(Buffer.from(`x-access-token:${secret}`).toString("base64").slice(24, 48));
  }
}

describe("a secret that a command prints", () => {
  async function leak(inputs: Readonly<Record<string, string>>) {
    github = await new CheckServer().start();
    runner = await TestRunner.create({ "plan.yml": PLAN });
    const result = await runner.run({
      inputs: { plan: "plan.yml", "github-token": TOKEN, secrets: "API_KEY", ...inputs },
      env: { GITHUB_API_URL: github.url, GH_TOKEN: TOKEN, DB_PASSWORD: PASSWORD, API_KEY },
    });
    expect(result.code).toBe(1);
    const results = readFileSync(result.outputs.get("results-file") ?? "", "utf8");
    return { result, results, check: github.checks[0] };
  }

  it("is in no log, check run, annotation, summary, output or file of results", async () => {
    const { result, results, check } = await leak({});
    for (const text of [result.raw, result.summary, results, JSON.stringify(check), ...result.outputs.values()]) {
      expectNothingIn(text);
    }
    // The runner hides what is named here in the later steps, too.
    expect(result.masks).toEqual([PASSWORD, API_KEY, "stage-key-of-the-plan"]);
    expect(result.log).toContain("⚠ secrets: DB_PASSWROD is not set: nothing is masked for it");
    expect(JSON.parse(results).phase_results[0].output_data).toEqual({ dsn: "db:***", basic: "***" });
    expect(check?.annotations).toMatchObject([
      { annotation_level: "failure", raw_details: expect.stringContaining("the token is ***, the stage has ***") },
      { path: "***.c", title: "***", message: "key ***" },
    ]);
    expect(check?.output.text ?? check?.output.summary).toContain("***");
  });

  it("is in the log alone with report-output: none, as is all that commands print", async () => {
    const { result, results, check } = await leak({ "report-output": "none" });
    expect(result.log).toContain("plain words");
    for (const text of [result.summary, results, JSON.stringify(check), ...result.outputs.values()]) {
      expectNothingIn(text);
      expect(text).not.toMatch(/plain words|the token is|key \*\*\*/u);
    }
    expect(check).toMatchObject({ conclusion: "failure", annotations: [{ title: "leak: failed" }] });
  });

  it("is in neither the log nor the result of the command line, when the plan names it", async () => {
    runner = await TestRunner.create({ "plan.yml": PLAN });
    const { workspace, root } = runner;
    const child = spawn(process.execPath, [program("src/cli.ts"), "run", "plan.yml"], {
      cwd: workspace,
      env: { PATH: process.env.PATH, HOME: root, GH_TOKEN: "", DB_PASSWORD: PASSWORD, API_KEY: "" },
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk;
      });
    }
    await new Promise((ended) => child.once("close", ended));
    expect(said).toContain("plain words");
    expect(said).toContain('"dsn": "db:***"');
    expectNothingIn(said);
  });

  it("of another agent's is masked by the leader with what it knows itself", () => {
    const plan = planOf("stages: [{ name: a, run: 'true' }]");
    const phase = phaseRecord(plan);
    const masks = masksOf(API_KEY);
    const shown = maskedSummary(
      { status: "failed", verdict: "failure", message: `lost ${API_KEY}`, failedStage: "a", phases: [phase] },
      masks,
    );
    expect(JSON.stringify(phase)).toContain(API_KEY);
    expectNothingIn(JSON.stringify(shown));
    expect(shown.phases[0]?.histograms).toEqual({ latency: "HISTFAAA" });
  });
});

function phaseRecord(plan: Plan): PhaseRecord {
  const [stage] = plan.stages;
  if (stage === undefined) throw new Error("a plan has stages");
  const agent = { agent: "b", index: 1, startedAt: 0, endedAt: 1, attempts: 1 } as const;
  return {
    stage: 0,
    name: stage.name,
    description: null,
    order: 1,
    line: stage.line,
    column: stage.column,
    optional: false,
    status: "failure",
    worked: false,
    reason: `b said ${API_KEY}`,
    startedAt: 0,
    completedAt: 1,
    retryCount: 0,
    progress: null,
    metrics: [{ name: API_KEY, value: 1, unit: API_KEY, agg: "sum", count: 1, expected: null, met: null }],
    histograms: { latency: "HISTFAAA" },
    outputs: { [API_KEY]: { deep: [API_KEY] } },
    annotations: [{ path: API_KEY, line: 1, level: "failure", title: API_KEY, message: API_KEY, agent: "b" }],
    agents: [
      {
        ...agent,
        status: "failure",
        reason: API_KEY,
        tail: `${API_KEY.slice(0, 12)}\n${API_KEY.slice(12)}`,
        end: { kind: "not_started", message: API_KEY },
      },
    ],
    tasks: null,
  };
}
