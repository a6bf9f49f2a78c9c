import { describe, expect, it } from "vitest";
import { act, type Change, UNKNOWN_ACTOR } from "../../../src/lifecycle/facts/change.ts";
import type { Facts, Reset } from "../../../src/lifecycle/facts/facts.ts";
import { record } from "../../../src/lifecycle/facts/record.ts";
import {
  alice,
  bob,
  check,
  checked,
  comment,
  did,
  history,
  labeled,
  minute,
  OPENED,
  opened,
  openedThen,
  pull,
  pushed,
  rex,
  state,
  tess,
  unlabeled,
} from "../builders.ts";

const HEAD = "aaaaaaa1";
const tell = (...changes: Change[]): Facts =>
  changes.reduce<Facts | null>((facts, change) => record(facts, change), null) ?? openedThen();
const seen = (overrides: Parameters<typeof state>[0], more: object = {}): Change => ({
  pull,
  kind: "snapshot",
  state: state(overrides),
  acts: [],
  checks: null,
  files: null,
  headAt: null,
  ...more,
});
const webhook = (overrides: Parameters<typeof state>[0]): Change => ({
  pull,
  kind: "observed",
  state: state(overrides),
  acts: [],
});
const files = (list: string[], sha = HEAD, baseRef = "main"): Change => ({
  pull,
  kind: "files",
  sha,
  baseRef,
  files: list,
});

describe("before anything told of the pull request itself", () => {
  it("it is open, by nobody, with nothing on it", () => {
    expect(record(null, did(comment(1, alice, "ship")))).toMatchObject({
      number: 7,
      nodeId: "",
      title: "",
      body: "",
      author: UNKNOWN_ACTOR,
      state: "open",
      merged: false,
      draft: false,
      openedAt: 0,
      head: { sha: "", ref: "", repositoryId: null, at: 0 },
      base: { sha: "", ref: "" },
      labels: [],
      updatedAt: 0,
      files: null,
      resets: [],
      checks: [],
      observed: null,
      heads: {},
      fileLists: [],
      acts: [{ kind: "command", command: "ship" }],
    });
  });
});

describe("acts since it was seen change what it is", () => {
  it.each<[string, Parameters<typeof act>[0], Partial<Facts>]>([
    ["labeled", labeled(5, "New", alice), { labels: ["New", "old"] }],
    ["unlabeled", unlabeled(5, "OLD", alice), { labels: [] }],
    ["drafted", { kind: "drafted", at: minute(5), by: alice }, { draft: true }],
    ["closed", { kind: "closed", at: minute(5), by: alice, merged: false }, { state: "closed", merged: false }],
    ["merged", { kind: "closed", at: minute(5), by: alice, merged: true }, { state: "closed", merged: true }],
    [
      "another base",
      { kind: "base_changed", at: minute(5), by: alice, from: "main", to: "dev" },
      { base: { sha: "0000000", ref: "dev" } },
    ],
    [
      "a push",
      pushed(5, HEAD, "bbb", alice),
      { head: { sha: "bbb", ref: "task-7", repositoryId: 100, at: minute(5) } },
    ],
  ])("%s", (_what, deed, expected) => {
    const facts = tell(opened({ labels: ["old"] }), did(deed));
    expect(facts).toMatchObject({ ...expected, updatedAt: minute(5) });
    // A state that was seen later is newer than the act.
    expect(
      tell(opened({ labels: ["old"] }), did(deed), webhook({ labels: ["old"], updatedAt: minute(6) })),
    ).toMatchObject({ labels: ["old"], draft: false, state: "open" });
  });

  it("ready and open again", () => {
    const [readied, reopened] = (["readied", "reopened"] as const).map((kind) =>
      did({ kind, at: minute(5), by: alice }),
    );
    if (readied === undefined || reopened === undefined) throw new Error("There are two.");
    expect(tell(opened({ draft: true, state: "closed" }), readied, reopened)).toMatchObject({
      draft: false,
      state: "open",
    });
  });

  it("of two pushes of one second the one from which the other starts is the older", () => {
    const [one, two] = [pushed(5, HEAD, "b", alice), pushed(5, "b", "c", alice)];
    expect(tell(opened(), did(one, two)).head.sha).toBe("c");
    expect(tell(opened(), did(two, one)).head.sha).toBe("c");
    expect(tell(opened(), did(pushed(4, "x", "y", alice), pushed(5, "y", "x", alice))).head.sha).toBe("x");
  });
});

describe("of two observations the newer one counts", () => {
  it.each<[string, Change, Change]>([
    [
      "by GitHub's date",
      webhook({ title: "old", updatedAt: minute(1) }),
      webhook({ title: "new", updatedAt: minute(2) }),
    ],
    ["a snapshot over a webhook", webhook({ title: "old" }), seen({ title: "new" })],
    ["a later snapshot", seen({ title: "old" }, { asOf: minute(1) }), seen({ title: "new" }, { asOf: minute(2) })],
    ["a snapshot with a moment over one without", seen({ title: "old" }), seen({ title: "new" }, { asOf: minute(1) })],
  ])("%s", (_what, older, newer) => {
    expect(tell(older, newer).title).toBe("new");
    expect(tell(newer, older).title).toBe("new");
  });

  it("a snapshot's moment is later than acts before it", () => {
    const facts = tell(
      seen({ labels: [] }, { asOf: minute(5) }),
      did(labeled(4, "before", alice), labeled(5, "at", alice), labeled(6, "after", alice)),
    );
    expect(facts.labels).toEqual(["after", "at"]);
  });

  it("what a snapshot does not say stays as it was", () => {
    const before = tell(opened(), checked(check(1)), files(["a"]));
    expect(tell(opened(), checked(check(1)), files(["a"]), seen({ updatedAt: minute(2) }))).toMatchObject({
      checks: before.checks,
      files: ["a"],
    });
    const all = tell(
      opened(),
      checked(check(1)),
      seen({ updatedAt: minute(2) }, { checks: [check(2, { name: "lint" })], files: ["b", "a"], suites: [] }),
    );
    expect(all.checks.map(({ name }) => name)).toEqual(["build", "lint"]);
    expect(all.files).toEqual(["a", "b"]);
    expect(all.suites).toMatchObject([{ sha: HEAD, listed: true }]);
    expect(before.suites).toBeUndefined();
  });
});

describe("heads", () => {
  it("have the earliest date at which they were seen", () => {
    const at = (...changes: Change[]): number | undefined => tell(...changes).heads[HEAD];
    expect(at(webhook({ updatedAt: minute(5) }))).toBe(minute(5));
    expect(at(webhook({ updatedAt: minute(5) }), webhook({ updatedAt: minute(3) }))).toBe(minute(3));
    expect(at(seen({ updatedAt: minute(5) }, { headAt: minute(2) }))).toBe(minute(2));
    expect(at(seen({ updatedAt: minute(5) }, { headAt: minute(9) }))).toBe(minute(5));
  });

  it("that nobody told of were pushed by nobody known; the first one was opened with", () => {
    const other = { sha: "b", ref: "task-7", repositoryId: 100 };
    const facts = tell(opened(), webhook({ head: other, updatedAt: minute(5) }));
    expect(facts.acts).toMatchObject([
      { kind: "opened" },
      { kind: "pushed", at: minute(5), by: UNKNOWN_ACTOR, before: HEAD, sha: "b", forced: false },
    ]);
    expect(facts.head).toMatchObject({ sha: "b", at: minute(5) });
    // Once its event comes, that is the push.
    const told = tell(opened(), webhook({ head: other, updatedAt: minute(5) }), did(pushed(5, HEAD, "b", alice)));
    expect(told.acts.map(({ kind, by }) => [kind, by.login])).toEqual([
      ["opened", "rex[bot]"],
      ["pushed", "alice"],
    ]);
    // A push tells of the head before it, too.
    const between = tell(opened(), did(pushed(5, "between", "b", alice))).acts;
    expect(between).toContainEqual(expect.objectContaining({ kind: "pushed", sha: "between", by: UNKNOWN_ACTOR }));
    expect(between).toContainEqual(expect.objectContaining({ kind: "pushed", sha: "b", by: alice }));
  });

  it("are kept of the newest five hundred", () => {
    const all = Array.from({ length: 502 }, (_, n) =>
      webhook({ head: { sha: `s${n}`, ref: "x", repositoryId: 100 }, updatedAt: minute(n) }),
    );
    const heads = Object.keys(tell(...all).heads);
    expect(heads).toHaveLength(500);
    expect(heads).not.toContain("s1");
    expect(heads).toContain("s2");
  });
});

describe("an act that is told twice", () => {
  it("by two people is by one of several, by one unknown it is the known one's or the other", () => {
    const by = (...who: (typeof alice)[]) =>
      tell(opened(), ...who.map((each) => did(labeled(5, "a", each)))).acts.at(-1)?.by.login;
    expect(by(alice, bob)).toBe("one of several");
    expect(by(alice, bob, alice)).toBe("one of several");
    expect(by(alice, alice)).toBe("alice");
    expect(by(alice, { ...alice, kind: "bot" })).toBe("one of several");
    expect(by(alice, UNKNOWN_ACTOR)).toBe(by(UNKNOWN_ACTOR, alice));
    expect(["alice", "unknown"]).toContain(by(alice, UNKNOWN_ACTOR));
  });

  it("stays granted once it was", () => {
    const command = act(comment(5, alice, "hold"));
    const granted = { ...command, granted: true } as const;
    const acts = (...list: (typeof command)[]) => tell(opened(), { pull, kind: "acts", acts: list }).acts.at(-1);
    expect(acts(command)).not.toHaveProperty("granted");
    expect([acts(command, granted), acts(granted, command)]).toMatchObject([{ granted: true }, { granted: true }]);
  });
});

describe("a check", () => {
  const one = (...checks: Parameters<typeof checked>) =>
    tell(opened(), ...checks.map((each) => checked(each))).checks[0];
  const running = { status: "in_progress", conclusion: null } as const;
  const both = (a: Parameters<typeof check>, b: Parameters<typeof check>) => [
    one(check(...a), check(...b)),
    one(check(...b), check(...a)),
  ];

  it("is its newest state; of one date the one that has come furthest", () => {
    for (const [older, newer] of [
      [[1], [2, running]],
      [[1, running], [1]],
      [
        [1, { status: "queued", conclusion: null }],
        [1, running],
      ],
      [
        [1, { conclusion: "failure" }],
        [1, { conclusion: "success" }],
      ],
      [
        [1, { appSlug: "a" }],
        [1, { appSlug: "b" }],
      ],
      [
        [1, { suite: "1" }],
        [1, { suite: "2" }],
      ],
    ] as [Parameters<typeof check>, Parameters<typeof check>][]) {
      const expected = {
        status: newer[1]?.status ?? "completed",
        conclusion: newer[1]?.conclusion === undefined ? "success" : newer[1].conclusion,
        at: minute(newer[0]),
      };
      for (const found of both(older, newer)) expect(found).toMatchObject({ ...expected, ...newer[1] });
    }
  });

  it("keeps its last conclusion while it runs again", () => {
    for (const found of both([1, { conclusion: "failure" }], [2, running])) {
      expect(found).toMatchObject({ status: "in_progress", lastConclusion: "failure", lastConclusionAt: minute(1) });
    }
    for (const found of both([1, { conclusion: "failure" }], [2]))
      expect(found).toMatchObject({ lastConclusion: "success", lastConclusionAt: minute(2) });
    expect(one(check(1, running))).toMatchObject({ lastConclusion: null, lastConclusionAt: null });
  });

  it("that was ours once is ours", () => {
    for (const found of both([1, { ours: true }], [2])) expect(found?.ours).toBe(true);
    expect(one(check(1), check(2))?.ours).toBe(false);
  });

  it("is another one on another commit, of another app, with another name", () => {
    const facts = tell(
      opened(),
      checked(check(1), check(1, { sha: "b" }), check(1, { appId: 2 }), check(1, { name: "lint" })),
    );
    expect(facts.checks).toHaveLength(4);
  });

  it("is kept as one of the newest thousand", () => {
    const facts = tell(opened(), checked(...Array.from({ length: 1002 }, (_, n) => check(n, { name: `c${n}` }))));
    expect(facts.checks).toHaveLength(1000);
    expect(facts.checks.map(({ name }) => name)).not.toContain("c1");
  });
});

describe("changed files", () => {
  it("are those of the head and its base, in order", () => {
    expect(tell(opened(), files(["b", "a"])).files).toEqual(["a", "b"]);
    expect(tell(opened(), files(["a"], "other")).files).toBeNull();
    expect(tell(opened(), files(["a"], HEAD, "dev")).files).toBeNull();
    expect(tell(opened(), files(["a"], "next"), did(pushed(5, HEAD, "next", alice))).files).toEqual(["a"]);
  });

  it("told twice are one list, whichever came first", () => {
    expect(tell(opened(), files(["a"]), files(["b"])).files).toEqual(tell(opened(), files(["b"]), files(["a"])).files);
    expect(tell(opened(), files(["a"]), files(["b"])).fileLists).toHaveLength(1);
  });

  it("are kept of four commits, the newest", () => {
    const pushes = Array.from({ length: 5 }, (_, n) =>
      webhook({ head: { sha: `s${n}`, ref: "x", repositoryId: 100 }, updatedAt: minute(n) }),
    );
    const facts = tell(
      ...pushes,
      ...Array.from({ length: 5 }, (_, n) => files(["a"], `s${n}`)),
      files(["a"], "future"),
    );
    expect(facts.fileLists.map(({ sha }) => sha)).toEqual(["future", "s2", "s3", "s4"]);
  });
});

describe("resets of our own", () => {
  const reset = (id: string, n: number, note = ""): Reset => ({
    id,
    stage: null,
    head: HEAD,
    at: minute(n),
    by: tess,
    why: "command",
    note,
  });
  const told = (...resets: Reset[]) =>
    tell(opened(), ...resets.map((each): Change => ({ pull, kind: "reset", reset: each }))).resets;

  it("are kept by id, in the order of their dates", () => {
    expect(
      told(reset("b", 2), reset("a", 2), reset("c", 1), reset("b", 2, "again")).map(({ id, note }) => [id, note]),
    ).toEqual([
      ["c", ""],
      ["a", ""],
      ["b", "again"],
    ]);
  });

  it("are the newest two hundred", () => {
    const kept = told(...Array.from({ length: 202 }, (_, n) => reset(`r${n}`, n)));
    expect([kept.length, kept[0]?.id]).toEqual([200, "r2"]);
  });
});

it("labels that our read-back saw gone are known to be so, whatever their case", () => {
  const facts = tell(opened(), seen({ updatedAt: minute(5) }, { removed: { labels: ["Ready"], after: ["r2", "r1"] } }));
  expect(facts.absences).toEqual([{ label: "ready", at: minute(5), after: ["r1", "r2"] }]);
  expect(openedThen().absences).toBeUndefined();
});

it("the opening's date is the pull request's own, and its head arrived with it", () => {
  expect(history(opened())).toMatchObject({ openedAt: OPENED, author: rex, head: { at: OPENED } });
});
