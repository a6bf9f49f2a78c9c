import { describe, expect, it } from "vitest";
import { ActIndex } from "../../../src/lifecycle/facts/act-index.ts";
import { proseLines } from "../../../src/lifecycle/facts/prose.ts";
import { commitsInForce, validCommits } from "../../../src/lifecycle/facts/pushes.ts";
import { mergeOrigins, originOf, type RunOrigin } from "../../../src/lifecycle/facts/run-origin.ts";
import { mergeSuites, type SuiteFact, suitesOf } from "../../../src/lifecycle/facts/suites.ts";
import { sayTicket, ticketNumber, ticketOf } from "../../../src/lifecycle/facts/ticket.ts";
import { actsOf, alice, cleo, minute, openedThen, outsider, permissions, pushed, suite } from "../builders.ts";
import { policyOf } from "../policies.ts";

describe("a description's lines", () => {
  it.each<[string, string[]]>([
    ["a\nb\r\nc\rd", ["a", "b", "c", "d"]],
    ["# one\n\n### three", ["# one", "### three"]],
    ["- a\n- b\n  c", ["- a", "- b", "c"]],
    ["1. a", ["- a"]],
    ["> quoted\n\nsaid", ["said"]],
    ["> quoted\nlazily", ["lazily"]],
    ["> > deep\n> out", []],
    ["```\ncode\n```\nsaid", ["said"]],
    ["    code\n\nsaid", ["said"]],
    ["<div>\nhidden\n</div>\n\nsaid", ["said"]],
    ["a <!-- b --> c", ["a   c"]],
    ["a `b` ``c``", ["a `b` ``c``"]],
    ["a<br>b", ["a b"]],
    ["a  \nb", ["a", "b"]],
    ["", []],
  ])("%j", (body, lines) => {
    expect([...proseLines(body)]).toEqual(lines);
  });
});

describe("commits that count", () => {
  const policy = policyOf(
    'stages: [{ name: a, enter: { draft: false } }]\non_push: { except: { by: ["cleo[bot]"] } }\n',
  );
  const none = policyOf("stages: [{ name: a, enter: { draft: false } }]\n");
  const facts = openedThen(pushed(1, "aaaaaaa1", "b", alice), pushed(2, "b", "c", cleo), pushed(3, "c", "d", cleo));

  it("lead back over excepted pushes, as far as they are one row", () => {
    expect(validCommits(facts, policy, permissions)).toEqual(["d", "c", "b"]);
    expect(validCommits(facts, none, permissions)).toEqual(["d"]);
    expect(validCommits({ ...facts, head: { ...facts.head, sha: "other" } }, policy, permissions)).toEqual(["other"]);
  });

  it("are at most a hundred", () => {
    const pushes = ActIndex.of(
      actsOf(...Array.from({ length: 150 }, (_, n) => pushed(n, `s${n}`, `s${n + 1}`, cleo))),
    ).pushes();
    const commits = commitsInForce(pushes, policy, () => ({ truth: "yes", reason: "", lookups: [] }), "s150");
    expect(commits).toHaveLength(100);
    expect(commits.at(-1)).toBe("s51");
    expect(commitsInForce(pushes, policy, () => ({ truth: "unknown", reason: "", lookups: [] }), "s150")).toEqual([
      "s150",
    ]);
  });
});

describe("who wrote what ran", () => {
  const origin = (overrides: Partial<RunOrigin>): RunOrigin => ({
    runId: "1",
    sha: "a",
    baseRef: null,
    origin: "untold",
    detail: "",
    ...overrides,
  });

  it("is the most that is known, in whatever order it was told", () => {
    const told = (["not_started", "untold", "unchanged", "changed", "default_branch", "started"] as const).map((each) =>
      origin({ origin: each }),
    );
    for (const [weaker, stronger] of told.slice(1).map((each, index) => [told[index] ?? each, each] as const)) {
      expect(mergeOrigins([weaker], [stronger])).toEqual([stronger]);
      expect(mergeOrigins([stronger], [weaker])).toEqual([stronger]);
    }
    const [a, b] = [origin({ detail: "a" }), origin({ detail: "b" })];
    expect([mergeOrigins([a], [b]), mergeOrigins([b], [a])]).toEqual([[b], [b]]);
  });

  it("is that of the run, the commit and the base", () => {
    const known = [
      origin({ sha: "b", origin: "started" }),
      origin({ runId: "2", origin: "started" }),
      origin({ baseRef: "dev", origin: "changed" }),
      origin({ baseRef: "main", origin: "unchanged" }),
      origin({}),
    ];
    expect(originOf(known, { runId: "1", sha: "a" }, "main")?.origin).toBe("unchanged");
    expect(originOf(known, { runId: "1", sha: "a" }, "dev")?.origin).toBe("changed");
    expect(originOf(known, { runId: "1", sha: "a" }, "x")?.origin).toBe("untold");
    expect(originOf(known, { runId: "9", sha: "a" }, "main")).toBeNull();
    expect(originOf(undefined, { runId: "1", sha: "a" }, "main")).toBeNull();
  });

  it("is kept of the newest thousand runs, in the order of their numbers", () => {
    const many = Array.from({ length: 1001 }, (_, n) => origin({ runId: `${n + 9}` }));
    const kept = mergeOrigins(many.slice(500), many.slice(0, 500));
    expect(kept.map(({ runId }) => runId)).toEqual(many.slice(1).map(({ runId }) => runId));
  });
});

describe("check suites", () => {
  const told = (suites: ReturnType<typeof suite>[], allOf: string | null = null) =>
    mergeSuites([], { suites, allOf }, {});
  const ask = (suites: ReturnType<typeof suite>[], app: string | null = null, ignored = (_: string) => false) =>
    suitesOf(told(suites, "aaaaaaa1"), { sha: "aaaaaaa1", app, ignored });
  const factsOf = (...lists: [ReturnType<typeof suite>[], string | null][]): readonly SuiteFact[] =>
    lists.reduce<ReturnType<typeof mergeSuites>>(
      (known, [suites, allOf]) => mergeSuites(known, { suites, allOf }, {}),
      [],
    )[0]?.suites ?? [];

  it("are known as what finished once, of the latest date, whatever came first", () => {
    const going = suite("1", { finished: false, at: 5 });
    const over = suite("1", { at: 3, workflow: "w" });
    const expected = [{ id: "1", app: "github-actions", workflow: "w", finished: true, at: 5, listedAt: null }];
    expect(factsOf([[going], null], [[over], null])).toEqual(expected);
    expect(factsOf([[over], null], [[going], null])).toEqual(expected);
    expect(factsOf([[going], "aaaaaaa1"], [[over], null])).toEqual([{ ...expected[0], listedAt: 5 }]);
    expect(factsOf([[going], "aaaaaaa1"], [[over], "aaaaaaa1"])).toEqual([{ ...expected[0], listedAt: 5 }]);
    expect(
      factsOf([[suite("2")], null], [[suite("1", { app: "b" })], null], [[suite("1", { app: "c" })], null]),
    ).toMatchObject([{ id: "1", app: "c" }, { id: "2" }]);
    expect(factsOf([[suite("1", { at: 0 })], "aaaaaaa1"])).toMatchObject([{ listedAt: 0 }]);
  });

  it("that have not finished are named once, by workflow or app", () => {
    expect(ask([])).toEqual({ unfinished: [], unsure: false });
    expect(ask([suite("1")])).toEqual({ unfinished: [], unsure: false });
    const open = [
      suite("1", { finished: false }),
      suite("2", { finished: false }),
      suite("3", { finished: false, workflow: "w" }),
    ];
    expect(ask(open)).toEqual({ unfinished: ["github-actions", "w"], unsure: false });
    expect(ask(open, "other").unfinished).toEqual([]);
    expect(ask(open, "github-actions").unfinished).toEqual(["github-actions", "w"]);
    expect(ask(open, null, (id) => id === "3").unfinished).toEqual(["github-actions"]);
    // It has finished once: it only runs again.
    expect(ask([...open, suite("4", { workflow: "w" })]).unfinished).toEqual(["github-actions"]);
    expect(ask([...open, suite("4", { workflow: "w2" })]).unfinished).toEqual(["github-actions", "w"]);
  });

  it("are sure only once a list has shown them as they are", () => {
    const unsure = (known: ReturnType<typeof mergeSuites> | undefined) =>
      suitesOf(known, { sha: "aaaaaaa1", app: null, ignored: () => false }).unsure;
    expect(unsure(undefined)).toBe(true);
    expect(unsure(told([]))).toBe(true);
    expect(unsure(told([], "aaaaaaa1"))).toBe(false);
    expect(unsure(told([suite("1")], "other"))).toBe(true);
    expect(unsure(mergeSuites(told([], "aaaaaaa1"), { suites: [suite("1")], allOf: null }, {}))).toBe(true);
    const later = suite("1", { at: minute(2) });
    expect(
      unsure(mergeSuites(told([suite("1", { finished: false })], "aaaaaaa1"), { suites: [later], allOf: null }, {})),
    ).toBe(true);
    expect(
      unsure(
        mergeSuites(
          told([suite("1", { finished: false })], "aaaaaaa1"),
          { suites: [{ ...later, finished: false }], allOf: null },
          {},
        ),
      ),
    ).toBe(false);
    expect(unsure(mergeSuites(told([suite("1")], "aaaaaaa1"), { suites: [later], allOf: "aaaaaaa1" }, {}))).toBe(false);
  });

  it("are kept of the four newest commits, and five hundred of each", () => {
    const heads = { a: 1, b: 2, c: 3, d: 4 };
    const known = ["a", "b", "c", "d", "new"].reduce<ReturnType<typeof mergeSuites>>(
      (all, sha) => mergeSuites(all, { suites: [], allOf: sha }, heads),
      [],
    );
    expect(known.map(({ sha, listed }) => [sha, listed])).toEqual([
      ["b", true],
      ["c", true],
      ["d", true],
      ["new", true],
    ]);
    const kept =
      told(Array.from({ length: 502 }, (_, n) => suite(`${n}`.padStart(3, "0"), { at: n })))[0]?.suites ?? [];
    expect(kept.map(({ id }) => id)).toEqual(Array.from({ length: 500 }, (_, n) => `${n + 2}`.padStart(3, "0")));
  });
});

describe("a ticket", () => {
  const patterns = { label: "task-*", branch: "task/*", title: "[#*]" };
  const facts = (labels: string[], ref: string, title: string) => ({
    labels,
    head: { sha: "a", ref, repositoryId: 1, at: 0 },
    title,
  });

  it.each<[ReturnType<typeof facts>, ReturnType<typeof ticketOf>]>([
    [facts(["x", "TASK-007"], "task/8", "[#9]"), { kind: "one", number: "7", source: "label" }],
    [facts(["task-7", "task-7", "task-07"], "", ""), { kind: "one", number: "7", source: "label" }],
    [facts(["task-7", "task-8"], "task/9", ""), { kind: "several", numbers: ["7", "8"], source: "label" }],
    [facts(["xtask-7", "task-7x", "task-"], "a/task/8-b", "[#9]"), { kind: "one", number: "8", source: "branch" }],
    [facts([], "mytask/8", "fix [#9]!"), { kind: "one", number: "9", source: "title" }],
    [facts([], "", "[#9] [#10]"), { kind: "several", numbers: ["9", "10"], source: "title" }],
    [facts([], "task/8x", "#9"), { kind: "none" }],
    [facts([], "task/123456789012345678", ""), { kind: "one", number: "123456789012345678", source: "branch" }],
    [facts([], "task/1234567890123456789", ""), { kind: "none" }],
  ])("%o", (from, ticket) => {
    expect(ticketOf(from, patterns)).toEqual(ticket);
    expect(ticketNumber(from, patterns)).toBe(ticket.kind === "one" ? ticket.number : null);
  });

  it("is looked for only where the policy says, and said in one sentence", () => {
    const from = facts(["task-1"], "task/2", "[#3]");
    const only = (patterns: Partial<Parameters<typeof sayTicket>[1]>) =>
      sayTicket(from, { label: null, branch: null, title: null, ...patterns });
    expect(only({})).toBeNull();
    expect(only({ label: "task-*" })).toBe("Ticket 1, named by its label.");
    expect(only({ branch: "task/*" })).toBe("Ticket 2, named by its branch.");
    expect(only({ title: "[#*]" })).toBe("Ticket 3, named by its title.");
    expect(only({ branch: "x-*", title: "y-*" })).toBe("No ticket: expected one in the branch or the title.");
    expect(only({ label: "x-*" })).toBe("No ticket: expected one in a label.");
    const many = { label: "task-*", branch: null, title: null };
    expect(sayTicket(facts(["task-1", "task-2"], "", ""), many)).toBe(
      "No ticket: its labels name several (1, 2), and none is taken.",
    );
    expect(sayTicket(facts([], "", "[#1] [#2]"), { ...many, label: null, title: "[#*]" })).toBe(
      "No ticket: its title names several (1, 2), and none is taken.",
    );
  });
});

it("an outsider's pushes lead nowhere", () => {
  const policy = policyOf(
    'stages: [{ name: a, enter: { draft: false } }]\non_push: { except: { by: ["cleo[bot]"] } }\n',
  );
  expect(validCommits(openedThen(pushed(1, "aaaaaaa1", "b", outsider)), policy, permissions)).toEqual(["b"]);
});
