import { describe, expect, it } from "vitest";
import type { Evaluation } from "../../../src/lifecycle/evaluation/evaluation.ts";
import { type ActWithoutId, act } from "../../../src/lifecycle/facts/change.ts";
import type { Facts, Reset } from "../../../src/lifecycle/facts/facts.ts";
import {
  alice,
  bob,
  cleo,
  comment,
  evaluationOf,
  labeled,
  lead,
  minute,
  openedThen,
  outsider,
  pushed,
  rex,
  tess,
} from "../builders.ts";
import { policyOf } from "../policies.ts";

const STAGES = `
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, owner: "tess[bot]", enter: { label: to-b } }
  - { name: c, owner: "rex[bot]", enter: { label: to-c } }
`;
const POLICY = policyOf(
  `operators: [lead]\nmax_rounds: 2\non_push: { back_to: b, except: { by: "cleo[bot]" } }${STAGES}`,
);
const STAYING = policyOf(`operators: [lead]\non_push: { back_to: false }${STAGES}`);
const HEAD = "aaaaaaa1";
const toB = labeled(1, "to-b", alice);
const toC = labeled(2, "to-c", alice);
const plain = (kind: "drafted" | "readied" | "reopened"): ActWithoutId => ({ kind, at: minute(5), by: bob });
const based: ActWithoutId = { kind: "base_changed", at: minute(5), by: bob, from: "main", to: "dev" };
const granted = (deed: ActWithoutId): ActWithoutId => ({ ...deed, granted: true }) as ActWithoutId;

describe("what an act resets", () => {
  const resets = (deeds: readonly ActWithoutId[], policy = POLICY) =>
    evaluationOf(openedThen(toB, toC, ...deeds), policy).resets.map(({ id: _, ...reset }) => reset);
  const reset = (overrides: Partial<Reset>) => ({
    ...{ stage: "b", head: HEAD, at: minute(5), by: alice, why: "command", note: "", place: expect.any(Number) },
    ...overrides,
  });
  const push = pushed(5, HEAD, "bbbbbbb2", alice);

  it.each<[string, ActWithoutId, object | null]>([
    ["a push", push, reset({ why: "push", head: "bbbbbbb2" })],
    ["an excepted push", { ...push, by: cleo }, null],
    ["another base", based, reset({ why: "base_changed", by: bob })],
    ["a draft", plain("drafted"), reset({ why: "draft", stage: null, by: bob })],
    ["ready again", plain("readied"), null],
    ["opened again", plain("reopened"), reset({ why: "reopened", stage: null, by: bob })],
    [
      "a stage's label by an operator",
      labeled(5, "stage/a", lead),
      reset({ stage: "a", by: lead, note: "lead moved it to a" }),
    ],
    ["a stage's label by somebody else", labeled(5, "stage/a", alice), null],
    ["the label of a stage that there is not", labeled(5, "stage/x", lead), null],
    ["a label that ends so", labeled(5, "xstage/a", lead), null],
    ["a label with as many letters before", labeled(5, "urgenta", lead), null],
    ["/stage to an earlier one", comment(5, alice, "to", "a"), reset({ stage: "a", note: "alice moved it to a" })],
    [
      "/stage to an earlier one by an operator",
      comment(5, lead, "to", "b"),
      reset({ by: lead, note: "lead moved it to b" }),
    ],
    ["/stage to one where it is", comment(5, lead, "to", "c"), null],
    ["/stage to one that there is not", comment(5, lead, "to", "x"), null],
    ["/stage to an earlier one by an outsider", comment(5, outsider, "to", "a"), null],
    ["/stage back", comment(5, alice, "back"), reset({ note: "alice asked for it" })],
    ["/stage back by an operator", comment(5, lead, "back"), reset({ by: lead, note: "lead asked for it" })],
    ["/stage back by its owner", comment(5, rex, "back"), reset({ by: rex, note: "rex[bot] asked for it" })],
    ["/stage back by another's owner", comment(5, tess, "back"), null],
    ["/stage back by an outsider", comment(5, outsider, "back"), null],
    [
      "/stage back that was granted",
      granted(comment(5, outsider, "back")),
      reset({ by: outsider, note: "outsider asked for it" }),
    ],
    [
      "/stage back while b was shown",
      comment(5, alice, "back", "b"),
      reset({ stage: "a", note: "alice asked for it" }),
    ],
    [
      "/stage back of its owner while b was shown",
      comment(5, tess, "back", "b"),
      reset({ stage: "a", by: tess, note: "tess[bot] asked for it" }),
    ],
    ["/stage back while c was shown", comment(5, alice, "back", "c"), reset({ note: "alice asked for it" })],
    ["/stage back while the first was shown", comment(5, alice, "back", "a"), null],
    ["/stage back while another was shown", comment(5, alice, "back", "x"), reset({ note: "alice asked for it" })],
    ["/stage retry", comment(5, alice, "retry"), null],
    ["a word of others", comment(5, lead, "/back"), null],
  ])("%s", (_, deed, expected) => {
    const head = deed.kind === "pushed" ? { head: deed.sha } : {};
    expect(resets([deed])).toEqual(expected === null ? [] : [{ ...expected, ...head }]);
  });

  it("nothing where pushes move nothing back, but what is done to it itself", () => {
    expect([push, based].map((deed) => resets([deed], STAYING))).toEqual([[], []]);
    expect(resets([plain("drafted")], STAYING)).toHaveLength(1);
  });

  it("has the id of what it follows from", () => {
    const ids = (deed: ActWithoutId) => evaluationOf(openedThen(toB, toC, deed), POLICY).resets.map(({ id }) => id);
    expect(ids(push)).toEqual([`push:${act(push).id}`]);
    expect(ids(comment(5, alice, "back"))).toEqual([`command:${act(comment(5, alice, "back")).id}`]);
  });

  it("the app's own are in force from their date on", () => {
    const own = (n: number): Reset => ({ ...reset({}), id: `${n}`, stage: "a", at: minute(n), place: 0 }) as Reset;
    const at = (...list: Reset[]) =>
      evaluationOf({ ...openedThen(toB, toC, comment(5, alice, "back")), resets: list }, POLICY);
    // It had been sent to the first stage before, from which there is no way back.
    expect(at(own(3)).resets.map(({ id }) => id)).toEqual(["3"]);
    expect(at(own(4), own(3)).resets.map(({ id }) => id)).toEqual(["3", "4"]);
    expect(at(own(6)).resets.map(({ note }) => note)).toEqual(["alice asked for it", ""]);
    expect(at(own(9), own(3)).resets.map(({ id }) => id)).toEqual(["3", "9"]);
    expect(at({ ...own(3), stage: "b" }, own(4)).resets.map(({ id }) => id)).toEqual(["3", "4"]);
  });
});

describe("rounds", () => {
  const back = (n: number): ActWithoutId[] => [comment(n, alice, "back"), labeled(n + 1, "to-b", alice)];
  const said = (...deeds: ActWithoutId[]): Pick<Evaluation, "rounds" | "held"> =>
    evaluationOf(openedThen(toB, ...deeds), POLICY);
  const tired = (times: number) => ({
    why: "max_rounds",
    at: minute(12),
    by: null,
    reason: `it was sent back ${times} times, and the policy allows 2`,
  });

  it("are counted until the policy allows no more", () => {
    expect(said(...back(10))).toMatchObject({ rounds: 1, held: null });
    expect(said(...back(10), ...back(12))).toMatchObject({ rounds: 2, held: tired(2) });
    expect(said(...back(10), ...back(12), ...back(14))).toMatchObject({ rounds: 3, held: tired(3) });
    expect(evaluationOf(openedThen(toB, ...back(10), ...back(12)), STAYING)).toMatchObject({ rounds: 2, held: null });
    expect(said(labeled(2, "stage/a", lead), pushed(9, HEAD, "b", alice))).toMatchObject({ rounds: 1 });
    expect(said(plain("drafted"), pushed(9, HEAD, "b", alice), based)).toMatchObject({ rounds: 0 });
  });

  it("begin anew when it is taken off hold by whoever may", () => {
    const twice = [...back(10), ...back(12)];
    expect(said(...twice, comment(20, alice, "unhold"))).toMatchObject({ rounds: 0, held: null });
    expect(said(...twice, comment(20, outsider, "unhold"))).toMatchObject({ rounds: 2, held: tired(2) });
    expect(said(...twice, granted(comment(20, outsider, "unhold")))).toMatchObject({ rounds: 0, held: null });
    expect(said(...twice, comment(20, alice, "unhold"), ...back(21))).toMatchObject({ rounds: 1 });
  });

  it("a hold that somebody gave counts before it", () => {
    const held = { why: "command", at: minute(20), by: alice, reason: "wait" };
    expect(said(...back(10), ...back(12), comment(20, alice, "hold", "wait"))).toMatchObject({ held });
    expect(said(granted(comment(20, outsider, "hold", "x")))).toMatchObject({ held: { by: outsider, reason: "x" } });
    expect(said(comment(20, outsider, "hold", "x"))).toMatchObject({ held: null });
    expect(said(comment(20, lead, "hold", "x"), comment(21, bob, "unhold"))).toMatchObject({ held: null });
    expect(said(comment(20, lead, "hold", "x"), comment(21, tess, "unhold"))).toMatchObject({ held: { by: lead } });
  });
});

describe("an operator's word", () => {
  const entries = (...deeds: ActWithoutId[]) => evaluationOf(openedThen(...deeds), POLICY).entries.slice(1);
  const moved = (n: number, stage: string): ActWithoutId => comment(n, lead, "to", stage);
  const byLead = (stage: string, n: number, to: string) => ({
    stage,
    at: minute(n),
    by: lead,
    evidence: [act(moved(n, to)).id],
    reason: `lead, an operator, moved it to ${to}`,
  });

  it("stands for all stages up to the one that is named", () => {
    expect(entries(moved(5, "c"))).toEqual([byLead("b", 5, "c"), byLead("c", 5, "c")]);
    expect(entries(moved(5, "b"))).toEqual([byLead("b", 5, "b")]);
    expect(entries(labeled(5, "stage/b", lead))).toMatchObject([{ stage: "b", at: minute(5), by: lead }]);
    expect(entries(moved(5, "b"), moved(6, "c"))).toEqual([byLead("b", 5, "b"), byLead("c", 6, "c")]);
    expect(entries(moved(5, "b"), moved(6, "b"), moved(7, "c"))).toEqual([byLead("b", 5, "b"), byLead("c", 7, "c")]);
  });

  it("gives way to conditions that held before it, or in that second", () => {
    expect(entries(labeled(3, "to-b", alice), moved(5, "c"))).toMatchObject([
      { stage: "b", at: minute(3), by: alice },
      byLead("c", 5, "c"),
    ]);
    expect(entries(labeled(5, "to-b", alice), moved(5, "c"))).toMatchObject([
      { stage: "b", by: alice },
      byLead("c", 5, "c"),
    ]);
    expect(entries(labeled(6, "to-b", alice), moved(5, "c"))).toEqual([byLead("b", 5, "c"), byLead("c", 5, "c")]);
  });

  it("ends with the next reset to a stage before", () => {
    const push = pushed(6, HEAD, "bbbbbbb2", alice);
    expect(entries(moved(5, "c"), push)).toEqual([byLead("b", 5, "c")]);
    expect(entries(moved(5, "c"), { ...push, at: minute(5) })).toEqual([byLead("b", 5, "c")]);
    expect(entries(moved(5, "c"), push, moved(7, "c"))).toEqual([byLead("b", 5, "c"), byLead("c", 7, "c")]);
    expect(
      entries(moved(5, "c"), { kind: "drafted", at: minute(6), by: rex }, { kind: "readied", at: minute(7), by: rex }),
    ).toEqual([]);
  });

  it("is shown above the conditions that do not hold", () => {
    const [, b, c] = evaluationOf(openedThen(toB, moved(5, "c")), POLICY).stages;
    expect(b?.result).toMatchObject({ condition: "label to-b", holds: true });
    const { stage: _, ...entry } = byLead("c", 5, "c");
    expect(c?.result).toEqual({
      ...{ condition: "override", holds: true, ...entry },
      children: [expect.objectContaining({ condition: "label to-c", holds: false })],
    });
  });
});

describe("what does not count is said with why", () => {
  const reason = (...deeds: ActWithoutId[]): string | undefined =>
    evaluationOf(openedThen(...deeds), POLICY).stages[2]?.result.reason;
  const given = (why: string): string =>
    `label to-c was given ${why}: it must be given again by someone with write permission`;
  const push = pushed(5, HEAD, "bbbbbbb2", alice);

  it.each<[readonly ActWithoutId[], string]>([
    [[labeled(1, "to-c", alice)], given("while b had not been reached")],
    [[labeled(1, "to-c", alice), labeled(2, "to-b", alice)], given("before b was reached")],
    [[labeled(2, "to-c", alice), labeled(2, "to-b", alice)], "label to-c by alice"],
    [[toB, toC, push], given("before alice pushed bbbbbbb")],
    [
      [toB, labeled(5, "to-c", alice), push],
      given("in the second in which alice pushed bbbbbbb, and GitHub does not say which came first"),
    ],
    [[toB, toC, comment(5, bob, "back")], given("before it was sent back (bob asked for it)")],
    [[toB, labeled(6, "to-c", alice), push], "label to-c by alice"],
  ])("%o", (deeds, expected) => {
    expect(reason(...deeds)).toBe(expected);
  });

  it("and what GitHub has put in order is not in doubt", () => {
    const deeds = [toB, labeled(5, "to-c", alice), push];
    const keys = [act(labeled(5, "to-c", alice)).id, "commit:bbbbbbb2"];
    const facts = (order: readonly string[]): Facts => ({
      ...openedThen(...deeds),
      orders: [{ at: minute(5), keys: order, givers: {}, asked: [] }],
    });
    const said = (order: readonly string[]) => evaluationOf(facts(order), POLICY).stages[2]?.result.reason;
    expect(said(keys)).toBe(given("before alice pushed bbbbbbb"));
    expect(said(keys.toReversed())).toBe("label to-c by alice");
  });
});
