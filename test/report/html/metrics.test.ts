import { describe, expect, it } from "vitest";
import { change, histogramsOf, metricsOf } from "../../../src/report/html/metrics.ts";
import { PAGE_BOUNDS, type ShownResult } from "../../../src/report/html/parts.ts";
import { resultOf } from "../../../src/report/record/json.ts";
import type { PhaseRecord } from "../../../src/run/result/record.ts";
import { agentPhase, phase, report } from "../builders.ts";

const rate = { name: "rate", unit: "MB/s", agg: "mean", count: 2 } as const;
/** A stage in which agents told these values, and what they came to. */
const load = (values: readonly number[], more: Partial<PhaseRecord["metrics"][number]> = {}): PhaseRecord =>
  phase({
    name: "load",
    metrics: [{ ...rate, value: values[0] ?? 0, expected: null, met: null, ...more }],
    agents: values.map((value, index) =>
      agentPhase({ agent: `a${index}`, index, measured: [{ ...rate, value, count: 1, ...more }] }),
    ),
  });
const shown = (...phases: readonly PhaseRecord[][]): readonly ShownResult[] =>
  phases.map((each, index) => ({
    ...{ letter: phases.length > 1 ? "ABCDEFG".charAt(index) : "", index, file: `${index}` },
    result: resultOf(report({ readHistogram: () => null }, { phases: each })),
  }));
const dots = (page: string): readonly string[] =>
  [...page.matchAll(/<i class="dot (c\d)" style="left:([^"]*)" title="([^"]*)">/gu)].map(([, ...all]) => all.join(" "));
const ends = (page: string): readonly string[] =>
  [...page.matchAll(/<p class="ends"><span>([^<]*)<\/span><span>([^<]*)<\/span><\/p>/gu)].map(
    ([, least, most]) => `${least} to ${most}`,
  );

describe("a metric's agents", () => {
  it("stand where their values are, from the least to the most of all results", () => {
    const page = metricsOf(shown([load([30, 10, 20])], [load([50, 11.1111111])]));
    expect(dots(page)).toEqual([
      ...["c0 50% a0: 30 MB/s", "c0 0% a1: 10 MB/s", "c0 25% a2: 20 MB/s"],
      ...["c1 100% a0: 50 MB/s", "c1 2.778% a1: 11.1111 MB/s"],
    ]);
    expect(ends(page)).toEqual(["10 · a1 to 30 · a0", "11.11 · a1 to 50 · a0"]);
  });

  it("stand in the middle where all are the same, and not at all where there is one", () => {
    expect(dots(metricsOf(shown([load([7, 7])])))).toEqual(["c0 50% a0: 7 MB/s", "c0 50% a1: 7 MB/s"]);
    expect(metricsOf(shown([load([7])]))).not.toContain("strip");
  });

  it("have the colour of their result, of which there are six", () => {
    const page = metricsOf(shown(...Array.from({ length: 7 }, () => [load([1, 2])])));
    expect(dots(page).map((dot) => dot.slice(0, 2))).toEqual(
      [0, 1, 2, 3, 4, 5, 0].flatMap((colour) => [`c${colour}`, `c${colour}`]),
    );
  });

  it("are as many as a page can show, the first ones", () => {
    const values = Array.from({ length: PAGE_BOUNDS.dots - 2 }, (_, index) => index);
    const page = metricsOf(
      shown([load(values), { ...load([1, 2, 3]), name: "save" }, { ...load([1, 2]), name: "more" }]),
    );
    expect(dots(page)).toHaveLength(PAGE_BOUNDS.dots);
    expect(dots(page).slice(-2)).toEqual(["c0 0% a0: 1 MB/s", "c0 100% a1: 2 MB/s"]);
  });
});

describe("a metric", () => {
  const text = (page: string): string =>
    page
      .replaceAll(/<[^>]*>/gu, " ")
      .replaceAll(/\s+/gu, " ")
      .trim();

  it.each<[Partial<PhaseRecord["metrics"][number]>, string]>([
    [{}, "rate load 3 MB/s mean of 2"],
    [{ expected: ">= 3", met: true }, "rate load 3 MB/s mean of 2 ✓ &gt;= 3"],
    [{ expected: ">= 4", met: false }, "rate load 3 MB/s mean of 2 ✗ &gt;= 4"],
    [{ expected: "no verdict", met: null }, "rate load 3 MB/s mean of 2 ✗ no verdict"],
    [{ unit: "", agg: "sum" }, "rate load 3 sum of 2"],
  ])("is shown with what was expected of it: %j", (more, said) => {
    const page = metricsOf(shown([load([3], more)]));
    expect(text(page)).toBe(said);
    expect(page.includes('class="ok"')).toBe(more.met === true);
    expect(page.includes('class="bad"')).toBe(more.expected !== undefined && more.met !== true);
  });

  it("has the results that told it, each against the first of them", () => {
    const other = phase({ name: "other" });
    expect(text(metricsOf(shown([other], [load([4])], [load([5])])))).toBe(
      "rate load B 4 MB/s mean of 2 C 5 MB/s mean of 2 +25 %",
    );
    const two = metricsOf(shown([load([4]), { ...load([5]), name: "save" }]));
    expect(two.match(/<article>/gu)).toHaveLength(2);
  });

  it("is nothing where there is none, and no more than a page can show", () => {
    expect(metricsOf(shown([phase()]))).toBe("");
    const many = Array.from({ length: PAGE_BOUNDS.metrics + 1 }, (_, n) => ({ ...load([1]), name: `s${n}` }));
    expect(metricsOf(shown(many))).toContain("1 metric is not shown");
    expect(metricsOf(shown(many.slice(1)))).not.toContain("not shown");
  });
});

it.each([
  [100, 103.2, "+3.2 %"],
  [100, 50, "−50 %"],
  [7, 7, "±0 %"],
  [-10, -5, "+50 %"],
  [-10, -15, "−50 %"],
  [3, 4, "+33.3 %"],
  [1e200, 2e200, "+100 %"],
  [0, 5, ""],
  [0, 0, ""],
  [Number.MIN_VALUE, 1e300, ""],
])("from %s to %s is %j", (before, now, said) => {
  expect(
    change(before, now)
      .replaceAll(/<[^>]*>/gu, "")
      .trim(),
  ).toBe(said);
});

describe("a histogram", () => {
  const told = (name: string, encoded: string): PhaseRecord => phase({ name, histograms: { lat: encoded } });
  const samples: Readonly<Record<string, readonly { least: number; most: number; count: number }[]>> = {
    some: [
      { least: 1, most: 1, count: 30 },
      { least: 500, most: 500, count: 3 },
      { least: 1000, most: 1000, count: 1 },
    ],
    more: [{ least: 31, most: 31, count: 4 }],
    none: [],
  };
  const page = (...results: readonly ShownResult[]): string =>
    histogramsOf(results, { readHistogram: (encoded) => samples[encoded] ?? null });

  it("has bars on one scale for all results, each as high as its share of the highest", () => {
    const [first = "", second = ""] = page(...shown([told("a", "some")], [told("a", "more")])).split(
      /(?<=<\/p>)<span class="badge c1">/u,
    );
    const bars = (text: string): readonly string[] =>
      [...text.matchAll(/<i(?: class="(c\d)" style="height:([^"]*)" title="([^"]*)")?><\/i>/gu)].flatMap(
        ([, colour, height, title], bin) => (colour === undefined ? [] : [`${bin} ${colour} ${height} ${title}`]),
      );
    expect((first + second).replaceAll(/<[^>]*>/gu, " ")).toMatch(/\scount\s+min\s+p50\s+p90\s+p99\s+p99\.9\s+max\s/u);
    expect(bars(first)).toEqual(["0 c0 100% 1 to 1: 30", "42 c0 10% 459 to 523: 3", "47 c0 3.333% 878 to 1000: 1"]);
    expect(bars(second)).toEqual(["21 c1 100% 29 to 34: 4"]);
    expect(first).toContain("<span>1</span><span>logarithmic</span><span>1000</span>");
    expect(second).toContain("<span>1</span><span>logarithmic</span><span>1000</span>");
  });

  it("says so where it holds nothing, or cannot be read, and then has no figures", () => {
    for (const encoded of ["none", "wrong"]) {
      const empty = page(...shown([told("a", encoded)]));
      expect(empty).toContain('<p class="note">It holds no values.</p>');
      expect(empty).not.toContain('<th scope="row">values');
    }
  });

  it("is nothing where there is none, and no more than a page can show", () => {
    expect(page(...shown([phase()]))).toBe("");
    const many = Array.from({ length: PAGE_BOUNDS.histograms + 1 }, (_, n) => told(`s${n}`, "more"));
    expect(page(...shown(many))).toContain("1 histogram is not shown");
    expect(page(...shown(many.slice(1)))).not.toContain("not shown");
  });
});
