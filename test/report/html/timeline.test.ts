import { expect, it } from "vitest";
import { htmlReport } from "../../../src/report/html/page.ts";
import type { ShownResult } from "../../../src/report/html/parts.ts";
import { LEGEND, timelines } from "../../../src/report/html/timeline.ts";
import { resultOf } from "../../../src/report/record/json.ts";
import type { AgentPhase } from "../../../src/run/result/record.ts";
import { agentPhase, phase, report, T0 } from "../builders.ts";

const part = (agent: string, index: number, from: number, to: number, more: Partial<AgentPhase> = {}): AgentPhase =>
  agentPhase({ agent, index, startedAt: T0 + from, endedAt: T0 + to, ...more });
const load = phase({
  name: "load",
  completedAt: T0 + 1000,
  agents: [part("a", 1, 0, 1000), part("b", 0, 0, 500, { attempts: 2 })],
});
const round = {
  ...load,
  agents: [part("a", 1, 1000, 2000, { status: "stopped", reason: "late" })],
  ...{ startedAt: T0 + 1000, completedAt: T0 + 2000 },
};
const save = phase({
  ...{ stage: 1, name: "save", status: "failure", worked: false, startedAt: T0 + 2000, completedAt: T0 + 4000 },
  agents: [part("a", 1, 2000, 2004), part("b", 0, 3000, 4000, { status: "lost" })],
  earlier: [round],
});
const never = phase({ name: "x", status: "skipped", startedAt: null, completedAt: null, agents: [] });
const one = resultOf(report({}, { phases: [load, save, never] }));
const nothing = resultOf(report({}, { phases: [never] }));
const twice = resultOf(
  report({}, { phases: [phase({ name: "load", completedAt: T0 + 8000, agents: [part("a", 0, 0, 8000)] })] }),
);

/** What stands where: of each lane its bars, names and lines. */
function lanes(...results: (typeof one)[]): string[][] {
  const files = results.map((result, index) => ({ file: `${index}`, result }));
  const page = htmlReport(files, { readHistogram: () => null });
  return [...page.matchAll(/<div class="lane[^"]*">.*?<\/div><\/div>/gu)].map(([lane]) =>
    [...lane.matchAll(/<(?:i|b|span) (?:class="([^"]*)" )?style="([^"]*)"(?: title="([^"]*)")?>([^<]*)/gu)].map(
      ([, kind = "", style = "", title = "", said = ""]) => [kind, style, title || said].filter(Boolean).join(" | "),
    ),
  );
}

it("bars stand where an agent worked, and where it waited, on a scale of time", () => {
  expect(lanes(one)).toEqual([
    [
      "tick | left:0% | 0",
      "tick | left:25% | 1.0 s",
      "tick | left:50% | 2.0 s",
      "tick | left:75% | 3.0 s",
      "tick end | left:100% | 4.0 s",
    ],
    [
      "left:0%;width:25% | load: success, 1.0 s",
      "left:25%;width:25% | save: failure, 1.0 s",
      "left:50%;width:50% | save (2): failure, 2.0 s",
    ],
    [
      "bar success | left:0%;width:12.5% | b, load: success after 500 ms, 2 attempts",
      "bar wait | left:12.5%;width:12.5% | b waited 500 ms at the barrier of load",
      "bar failure | left:75%;width:25% | b, save (round 2): lost after 1.0 s",
    ],
    [
      "bar success | left:0%;width:25% | a, load: success after 1.0 s",
      "bar stopped | left:25%;width:25% | a, save: stopped after 1.0 s: late",
      "bar success | left:50%;width:0.2% | a, save (round 2): success after 4 ms",
      "bar wait | left:50.1%;width:49.9% | a waited 2.0 s at the barrier of save (round 2)",
    ],
  ]);
});

it("several stand on the scale of the longest, and one in which nothing began on none", () => {
  const both = lanes(one, nothing, twice);
  expect(both).toHaveLength(7);
  expect(both[0]).toEqual(both[4]);
  expect(both[1]?.[0]).toBe("left:0%;width:12.5% | load: success, 1.0 s");
  expect(both[6]).toEqual(["bar success | left:0%;width:100% | a, load: success after 8.0 s"]);
  expect(lanes(nothing)).toEqual([]);
});

const alone = (...phases: (typeof load)[]): readonly ShownResult[] => [
  { letter: "", index: 0, file: "0", result: resultOf(report({}, { phases })) },
];

it.each([
  [4, "0, 1 ms, 2 ms, 3 ms, 4 ms"],
  [5, "0, 2 ms, 4 ms"],
  [40_000, "0, 10.0 s, 20.0 s, 30.0 s, 40.0 s"],
  [60_000, "0, 15.0 s, 30.0 s, 45.0 s, 1 min"],
  [2_400_000, "0, 10 min, 20 min, 30 min, 40 min"],
  [5_400_000, "0, 30 min, 1 h, 1 h 30 min"],
  [8 * 86_400_000, "0, 48 h, 96 h, 144 h, 192 h"],
  // Longer than any step: its beginning and its end.
  [30 * 86_400_000, "0, 720 h"],
])("the scale of %i ms has at most four steps, of a size that people count in", (ms, ticks) => {
  const page = timelines(alone({ ...load, completedAt: T0 + ms }), 100);
  const found = [...page.matchAll(/<span class="tick(?: end)?" style="[^"]*">([^<]*)/gu)].map(([, said]) => said);
  expect(found.join(", ")).toBe(ticks);
});

it("the colours are explained", () => {
  expect([...LEGEND.matchAll(/<i class="key (\w*)"><\/i>([^<]*)/gu)].map(([, key, words]) => [key, words])).toEqual([
    ["success", "success"],
    ["failure", "failed, lost or excluded"],
    ["stopped", "stopped"],
    ["wait", "waiting at the barrier"],
  ]);
});

it.each([
  // Two bars for each agent and stage.
  [12, "a b c d e f"],
  [11, "a b c d f"],
  [9, "a b d f"],
  [7, "b d f"],
  [5, "b d"],
  [2, "b"],
  [0, "b"],
])("of more agents than %i bars have room for, those that did not come through are shown first", (most, names) => {
  const fared = ["success", "lost", "skipped", "failure", "success", "stopped"] as const;
  const agents = fared.map((status, index) => part("abcdef".charAt(index), index, 0, 1000, { status }));
  const page = timelines(alone({ ...load, agents }), most);
  const found = [...page.matchAll(/<span class="who" title="([^"]*)">/gu)].map(([, name]) => name);
  expect(found.join(" ")).toBe(names);
  const hidden = 6 - found.length;
  const said = hidden === 1 ? "1 agent is" : `${hidden} agents are`;
  expect(page.includes(`${said} not shown`)).toBe(hidden > 0);
});

it("several results share the bars", () => {
  const agents = ["a", "b"].map((name, index) => part(name, index, 0, 1000));
  const [only] = alone({ ...load, agents });
  if (only === undefined) throw new Error("no result");
  expect(timelines([only, only], 7).match(/1 agent is not shown/gu)).toHaveLength(2);
  expect(timelines([only, only], 8)).not.toContain("not shown");
});
