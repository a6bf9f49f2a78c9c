/** Rules, alerts and the dashboard are of metrics that the app really has, and each alert tells what to do. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { addLabelsByName, asUser } from "../../src/sandbox/world/index.ts";
import { openProcessHouse, type ProcessHouse } from "../app/process-house.ts";
import { freePort } from "../app/server-process.ts";
import { askedBy } from "./promql.ts";

const RUNBOOK = "https://github.com/stagewright/stagewright/blob/main/docs/operate.md#";
const TOKEN = "nUj3kPq8-tokens-of-prometheus";
const duration = z.string().regex(/^\d+[smhd]$/u);
const rule = z.union([
  z.strictObject({ record: z.string().regex(/^[a-z_]+:[a-z_]+:[a-z0-9_]+$/u), expr: z.string() }),
  z.strictObject({
    alert: z.string().regex(/^Stagewright[A-Za-z]+$/u),
    expr: z.string(),
    for: duration.optional(),
    labels: z.strictObject({ severity: z.enum(["page", "ticket", "info"]) }),
    annotations: z.strictObject({ summary: z.string().min(10), runbook_url: z.string().startsWith(RUNBOOK) }),
  }),
]);
const rulesFile = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(rule).min(1) })).min(1),
});
const dashboard = z.object({
  panels: z
    .array(
      z.object({
        title: z.string().min(1),
        description: z.string().min(1),
        gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
        targets: z.array(z.object({ expr: z.string(), refId: z.string() })).min(1),
      }),
    )
    .min(10),
});

const rulesOf = (file: string) =>
  rulesFile.parse(parse(readFileSync(`deploy/prometheus/${file}`, "utf8"))).groups.flatMap((group) => group.rules);
const RULES = rulesOf("rules.yml");
const ALERTS = rulesOf("alerts.yml");
const DASHBOARD = dashboard.parse(JSON.parse(readFileSync("deploy/grafana/stagewright.json", "utf8")));
const PANELS = DASHBOARD.panels.flatMap(({ title, targets }) =>
  // What Grafana puts in before it asks.
  targets.map(({ expr }): [string, string] => [title, expr.replaceAll("$__rate_interval", "1m")]),
);
const EXPRESSIONS: readonly [string, string][] = [
  ...[...RULES, ...ALERTS].map((each): [string, string] => ["record" in each ? each.record : each.alert, each.expr]),
  ...PANELS,
];
const RECORDED = new Set(RULES.flatMap((each) => ("record" in each ? [each.record] : [])));
/** Prometheus's own, and what it adds to all. */
const OF_PROMETHEUS: ReadonlySet<string> = new Set(["up"]);
const ADDED: ReadonlySet<string> = new Set(["job", "instance"]);

describe("a scrape of the app", () => {
  let house: ProcessHouse;
  let metricsUrl: string;
  /** Names of samples -> labels that they have. */
  const scraped = new Map<string, Set<string>>();
  const scrape = (authorization?: string) =>
    fetch(metricsUrl, authorization === undefined ? {} : { headers: { authorization } });

  beforeAll(async () => {
    const port = await freePort();
    metricsUrl = `http://127.0.0.1:${port}/metrics`;
    house = await openProcessHouse({ METRICS_ADDRESS: `127.0.0.1:${port}`, METRICS_TOKEN: TOKEN });
    const pull = house.open("Add a gadget");
    await house.until("it is in its first stage", () => house.labels(pull).includes("stage/pr-created"));
    addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["ready-for-qa"]);
    await house.until("it is in its second stage", () => house.labels(pull).includes("stage/ready-for-qa"));
    const sample = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? \S+$/u;
    await house.until("that is counted", async () => {
      const text = await (await scrape(`Bearer ${TOKEN}`)).text();
      scraped.clear();
      for (const line of text.split("\n").filter((each) => each !== "" && !each.startsWith("#"))) {
        const { name = "", labels = "" } = sample.exec(line)?.groups ?? {};
        const known = scraped.get(name) ?? new Set();
        for (const [, label = ""] of labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/gu)) known.add(label);
        scraped.set(name, known);
      }
      return /^stagewright_event_to_verified_beyond_pace_seconds_count\{outcome="verified"\} [2-9]$/mu.test(text);
    });
  });
  afterAll(() => house.close());

  it.each(EXPRESSIONS)("has what is asked for: %s", (_, expression) => {
    const { metrics, grouping } = askedBy(expression);
    const known = new Set<string>(ADDED);
    for (const [name, labels] of metrics) {
      if (OF_PROMETHEUS.has(name) || RECORDED.has(name)) continue;
      const has = scraped.get(name);
      expect(has, name).toBeDefined();
      for (const label of has ?? []) known.add(label);
      for (const label of labels) expect([...ADDED, ...(has ?? [])], `${name} of ${label}`).toContain(label);
    }
    for (const label of grouping) expect([...known], label).toContain(label);
  });

  it("names nobody, nothing and no place", () => {
    for (const name of scraped.keys()) expect(name).toMatch(/^(?:stagewright|process|nodejs)_/u);
    expect(scraped.get("stagewright_github_quota_remaining")).toEqual(new Set(["installation", "resource"]));
  });

  it("is for who shows the token, and on its own listener there is nothing else", async () => {
    for (const wrong of [undefined, "Bearer x", `Bearer ${TOKEN}x`, `Basic ${TOKEN}`]) {
      expect((await scrape(wrong)).status, wrong).toBe(401);
    }
    const at = (path: string) => fetch(new URL(path, metricsUrl));
    expect((await at("/healthz")).status).toBe(200);
    expect((await at("/readyz")).status).toBe(200);
    for (const path of ["/", "/api/overdue", "/api/runs/x", "/api/github/webhooks"]) {
      expect((await at(path)).status, path).toBe(404);
    }
    // Where everybody comes, it is for who shows the token, or is on this machine.
    const elsewhere = { headers: { "x-forwarded-for": "1.2.3.4" } };
    expect((await fetch(`${house.url}/metrics`, elsewhere)).status).toBe(403);
    const shown = { headers: { ...elsewhere.headers, authorization: `Bearer ${TOKEN}` } };
    expect((await fetch(`${house.url}/metrics`, shown)).status).toBe(200);
    expect((await fetch(`${house.url}/metrics`)).status).toBe(200);
    expect((await fetch(`${house.url}/api/overdue`, shown)).status).toBe(403);
  });
});

describe("an expression that is no PromQL", () => {
  it.each(["sum(", "rate(a[5x])", "a{b=c}", "sum by a (b)", "a >", "1 + 1"])("is found: %s", (expression) => {
    expect(() => askedBy(expression)).toThrow();
  });

  it("tells metrics, matched labels and groups of one that is", () => {
    const { metrics, grouping } = askedBy('sum by (x) (rate(a{b="1", c!~"2"}[5m])) / on (y) group_left d');
    expect(Object.fromEntries([...metrics].map(([name, labels]) => [name, [...labels]]))).toEqual({
      a: ["b", "c"],
      d: [],
    });
    expect([...grouping]).toEqual(["x", "y"]);
  });
});

describe("each alert", () => {
  const headings = readFileSync("docs/operate.md", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("#"))
    .map((line) =>
      line
        .replace(/^#+ /u, "")
        .toLowerCase()
        .replace(/[^\w -]/gu, "")
        .replaceAll(" ", "-"),
    );

  it.each(ALERTS.flatMap((each) => ("alert" in each ? [each] : [])))("$alert tells what to do", ({ annotations }) => {
    expect(headings).toContain(annotations.runbook_url.slice(RUNBOOK.length));
  });

  it("of the objective fires only while both of its windows burn", () => {
    const windows = ALERTS.flatMap((each) =>
      "alert" in each && each.alert.startsWith("StagewrightEventsLate")
        ? [[...askedBy(each.expr).metrics.keys()].map((name) => name.replace(/^.*rate/u, ""))]
        : [],
    );
    expect(windows).toEqual([
      ["1h", "5m"],
      ["6h", "30m"],
      ["3d", "6h"],
    ]);
    for (const window of windows.flat()) expect(RECORDED).toContain(`stagewright:events_late:ratio_rate${window}`);
  });
});

it("no two panels of the dashboard lie on each other", () => {
  const cells = DASHBOARD.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)} ${y + Math.floor(index / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(DASHBOARD.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
});
