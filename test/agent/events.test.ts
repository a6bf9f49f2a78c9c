import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeFromCompressedBase64 } from "hdr-histogram-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Masks } from "../../src/agent/masking/masks.ts";
import { type CommandEvent, readEvent } from "../../src/agent/output/event-schema.ts";
import { EventsFile } from "../../src/agent/output/events.ts";
import { AttemptRecord } from "../../src/agent/output/record.ts";
import type { Json, Thresholds } from "../../src/plan/plan.ts";

let directory = "";
let path = "";
let warnings: string[] = [];
let events: CommandEvent[] = [];
let file: EventsFile;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-test-"));
  path = join(directory, "events.jsonl");
  writeFileSync(path, "");
  warnings = [];
  events = [];
  file = new EventsFile({ path, onEvent: (event) => void events.push(event), warn: (text) => warnings.push(text) });
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("the events file", () => {
  it("is followed as it grows, lines in pieces included", async () => {
    appendFileSync(path, '{"progress":{"done":1}}\n{"out');
    await file.poll();
    expect(events).toEqual([{ progress: { done: 1 } }]);
    appendFileSync(path, 'put":{"a":"ü"}}\n');
    await file.poll();
    appendFileSync(path, '{"output":{"last":"without its line end"}}');
    await file.finish();
    expect(events.slice(1)).toEqual([{ output: { a: "ü" } }, { output: { last: "without its line end" } }]);
    expect(warnings).toEqual([]);
  });

  it.each([
    ["lists", "[", "]"],
    ["mappings", '{"a":', "}"],
  ])("refuses %s that stand thousands deep in one another, and reads what comes after them", async (_, open, close) => {
    const deep = (levels: number) => `{"output":{"x":${open.repeat(levels)}1${close.repeat(levels)}}}`;
    writeFileSync(path, `${[deep(62), deep(63), deep(3_000), deep(40_000), '{"output":{"ok":1}}'].join("\n")}\n`);
    await file.finish();
    expect(events).toEqual([{ output: { x: expect.anything() } }, { output: { ok: 1 } }]);
    const line = (n: number) =>
      `line ${n} of $STAGEWRIGHT_EVENTS has lists and mappings that stand more than 64 deep in one another; it was ignored`;
    expect(warnings).toEqual([line(2), line(3), line(4)]);
  });

  it("drops no key without a word", async () => {
    writeFileSync(
      path,
      '{"output":{"__proto__":1,"a":2}}\n{"output":{"a":[{"__proto__":1}]}}\n{"output":{"toString":1}}\n',
    );
    await file.finish();
    expect(events).toEqual([{ output: { toString: 1 } }]);
    expect(warnings).toEqual(
      [1, 2].map(
        (n) => `line ${n} of $STAGEWRIGHT_EVENTS has the key "__proto__", which is not allowed; it was ignored`,
      ),
    );
  });

  it("warns of each line that it does not understand, by number, and goes on", async () => {
    const lines = [
      "nonsense",
      '{"progres":{}}',
      "[]",
      "{}",
      "",
      '{"metric":{"name":"x","value":"fast"}}',
      '{"output":{"ok":1}}',
    ];
    writeFileSync(path, `${lines.join("\n")}\n`);
    await file.finish();
    expect(events).toEqual([{ output: { ok: 1 } }]);
    expect(warnings.map((text) => /^line (\d+) of \$STAGEWRIGHT_EVENTS/.exec(text)?.[1])).toEqual([
      "1",
      "2",
      "3",
      "4",
      "6",
    ]);
  });

  it("counts what it does not warn of one by one", async () => {
    writeFileSync(path, "bad\n".repeat(500));
    await file.finish();
    expect(warnings).toHaveLength(21);
    expect(warnings.at(-1)).toContain("480 further lines");
  });

  it("passes over a line that is too long, and reads on behind it", async () => {
    writeFileSync(path, `${"x".repeat(900_000)}\n{"output":{"ok":1}}\n${"y".repeat(300_000)}`);
    await file.finish();
    expect(events).toEqual([{ output: { ok: 1 } }]);
    expect(warnings.map((text) => text.slice(0, 7))).toEqual(["line 1 ", "line 3 "]);
  });

  it("says when the file was overwritten, or is gone", async () => {
    appendFileSync(path, '{"output":{"a":1}}\n{"output":{"b":1}}\n');
    await file.poll();
    writeFileSync(path, '{"output":{"c":1}}\n');
    await file.poll();
    rmSync(path);
    await file.finish();
    expect(events).toHaveLength(3);
    expect(warnings[0]).toContain("overwritten");
    expect(warnings[1]).toContain("can no longer be read");
  });

  it("does not read beyond its limit", async () => {
    const line = `{"output":{"k":"${"v".repeat(65_000)}"}}\n`;
    for (let n = 0; n < 11; n += 1) appendFileSync(path, line.repeat(100));
    await file.finish();
    expect(warnings).toEqual([expect.stringContaining("over 64 MiB")]);
    expect(events.length).toBeLessThan(1_100);
  });

  it.each([
    ['{"__proto__":{"x":1}}', 'the key "__proto__"'],
    ['{"progress":{"done":-1}}', "progress.done"],
    ['{"metric":{"name":"ops","value":1e308}}', "metric.value"],
    ['{"metric":{"name":"ops","value":-1.1e300}}', "metric.value"],
    ['{"metric":{"name":"ops","value":1e999}}', "metric.value"],
    ['{"histogram":{"name":"l","values":[0.5]}}', "histogram"],
    ['{"annotation":{"message":"m","level":"fatal"}}', "annotation.level"],
  ])("refuses %s", (line, message) => {
    expect(readEvent(line)).toContain(message);
  });
});

function record(
  thresholds: Partial<Thresholds> | null = null,
  series = { inARow: 0 },
  isMeasured: () => boolean = () => true,
) {
  const seen = { warnings: [] as string[], tasks: [] as Json[], over: [] as string[] };
  const masks = new Masks();
  const made = new AttemptRecord({
    tellsOutput: true,
    masks,
    place: { path: "plan.yml", line: 7 },
    thresholds:
      thresholds === null ? null : { maxErrors: null, maxErrorRate: null, maxConsecutiveErrors: null, ...thresholds },
    series,
    isMeasured,
    warn: (text) => seen.warnings.push(text),
    onProgress: () => undefined,
    onTasks: (values) => seen.tasks.push(...values),
    onThreshold: (end) => seen.over.push(end.threshold),
  });
  const report = () =>
    made.report({ stage: 0, attempt: "a", task: null, startedAt: 0, endedAt: 1, end: { kind: "exited", code: 0 } });
  return { made, masks, seen, report };
}

describe("an attempt's record", () => {
  it("counts what is measured only while it is to be measured, and says how much that left out", async () => {
    let isOn = false;
    const { made, report, seen } = record(null, { inARow: 0 }, () => isOn);
    const measured = { metric: { name: "ops", value: 1, agg: "sum" }, histogram: { name: "l", value: 3 } } as const;
    await made.take({ ...measured, output: { kept: 1 } });
    isOn = true;
    await made.take(measured);
    isOn = false;
    await made.take(measured);
    expect(await report()).toMatchObject({ outputs: { kept: 1 }, metrics: [{ name: "ops", value: 1, count: 1 }] });
    expect(seen.warnings).toEqual(["2 measurements of warmup and cooldown do not count"]);
  });

  it("adds up metrics by their aggregation", async () => {
    const { made, report } = record();
    for (const [name, agg, values] of [
      ["sum", "sum", [1, 2, 3]],
      ["mean", "mean", [1, 2, 6]],
      ["min", "min", [4, 2, 3]],
      ["max", "max", [4, 9, 3]],
    ] as const) {
      for (const value of values) await made.take({ metric: { name, value, agg } });
    }
    const { metrics } = await report();
    expect(metrics.map(({ name, value, count }) => [name, value, count])).toEqual([
      ["sum", 6, 3],
      ["mean", 3, 3],
      ["min", 2, 3],
      ["max", 9, 3],
    ]);
  });

  it("leaves out a metric, saying so once, whose total or number of samples is out of range", async () => {
    const { made, seen, report } = record();
    for (const value of [1e300, 1e300, 1, 2]) await made.take({ metric: { name: "sum", value, agg: "sum" } });
    for (const value of [1e300, 1e300]) await made.take({ metric: { name: "mean", value, agg: "mean" } });
    const count = Number.MAX_SAFE_INTEGER;
    await made.take({ metric: { name: "many", value: 1e300, agg: "mean", count: count - 1 } });
    await made.take({ metric: { name: "many", value: 1e300, agg: "mean" } });
    for (const value of [1, 2]) await made.take({ metric: { name: "too many", value, agg: "max", count } });
    expect((await report()).metrics.map(({ name, value }) => [name, value])).toEqual([
      ["mean", 1e300],
      ["many", expect.closeTo(1e300, -290)],
    ]);
    expect(seen.warnings).toEqual([
      expect.stringContaining("metric sum was left out"),
      expect.stringContaining("metric too many was left out"),
    ]);
  });

  it("merges histograms exactly, given one by one, in lists and encoded", async () => {
    const first = record();
    await first.made.take({ histogram: { name: "latency", values: [1, 10, 100] } });
    await first.made.take({ histogram: { name: "latency", value: 1_000_000 } });
    const encoded = (await first.report()).histograms.latency ?? "";
    const second = record();
    await second.made.take({ histogram: { name: "latency", encoded } });
    await second.made.take({ histogram: { name: "latency", value: 10 } });
    const merged = decodeFromCompressedBase64((await second.report()).histograms.latency ?? "");
    expect(merged.totalCount).toBe(5);
    expect(merged.getValueAtPercentile(50)).toBe(10);
    await second.made.take({ histogram: { name: "latency", encoded: "AAAA" } });
    expect(second.seen.warnings).toEqual([expect.stringContaining("latency could not be read")]);
  });

  it("masks outputs, tail, annotations, and places annotations without a place at the stage", async () => {
    const { made, masks, report } = record();
    made.tail.push("the key is hunter2");
    await made.take({ output: { key: "hunter2", n: 1 } });
    await made.take({ annotation: { message: "hunter2 leaked", level: "error" } });
    masks.add("hunter2");
    const done = await report();
    expect(JSON.stringify(done)).not.toContain("hunter2");
    expect(done.annotations).toEqual([
      { path: "plan.yml", line: 7, level: "failure", title: null, message: "*** leaked" },
    ]);
  });

  it("bounds outputs and annotations, saying so", async () => {
    const { made, seen, report } = record();
    await made.take({ output: { a: "x".repeat(200_000) } });
    await made.take({ output: { b: "x".repeat(200_000) } });
    await made.take({ output: { a: "small" } });
    await made.take({ output: { b: "x".repeat(200_000) } });
    for (let n = 0; n < 1_500; n += 1) await made.take({ annotation: { message: `${n}` } });
    const done = await report();
    expect(Object.keys(done.outputs)).toEqual(["a", "b"]);
    expect(done.annotations).toHaveLength(1_000);
    expect(seen.warnings).toEqual([expect.stringContaining("output b"), expect.stringContaining("1000 annotations")]);
  });

  it.each([
    [
      { maxErrors: 2 },
      [
        [0, 1],
        [0, 2],
      ],
      [],
    ],
    [
      { maxErrors: 2 },
      [
        [0, 1],
        [5, 3],
      ],
      ["max_errors"],
    ],
    // A rate is the group's alone.
    [{ maxErrorRate: 0.5 }, [[1, 3]], []],
    [
      { maxConsecutiveErrors: 2 },
      [
        [0, 2],
        [1, 4],
        [1, 6],
      ],
      [],
    ],
    [
      { maxConsecutiveErrors: 2 },
      [
        [0, 2],
        [0, 3],
      ],
      ["max_consecutive_errors"],
    ],
  ])("ends at thresholds %j of (done, errors) %j", async (thresholds, reports, expected) => {
    const { made, seen } = record(thresholds);
    for (const [done = 0, errors = 0] of reports) await made.take({ progress: { done, errors } });
    expect(seen.over).toEqual(expected);
  });

  it("counts errors in a row over the tasks that an agent runs one after the other", async () => {
    const series = { inARow: 0 };
    const over: boolean[] = [];
    for (let task = 0; task < 4; task++) {
      const { made, seen } = record({ maxConsecutiveErrors: 2 }, series);
      await made.take({ progress: { done: 0, errors: 1 } });
      over.push(seen.over.length > 0);
    }
    expect(over).toEqual([false, false, true, true]);
  });
});
