import { describe, expect, it } from "vitest";
import { NO_PERMISSIONS } from "../../../src/lifecycle/facts/facts.ts";
import { FactsProblem, readFactsFile } from "../../../src/lifecycle/facts-file/facts-file.ts";
import { minute } from "../builders.ts";

const pull = { number: 7, author: "alice", head: "abcd", opened_at: "2026-03-02T09:00:00Z" };
const read = (file: object) => readFactsFile({ pull, ...file });
const factsOf = (file: object) => read(file).facts;

/** What is wrong, one line each. */
function problemsOf(file: unknown): readonly string[] {
  try {
    readFactsFile(file);
    return [];
  } catch (error) {
    if (error instanceof FactsProblem) return error.lines;
    throw error;
  }
}

describe("a file of facts", () => {
  it("says of a pull request what it is", () => {
    const facts = factsOf({
      pull: { ...pull, title: "t", body: "b", draft: true, branch: "task-1", base: "dev", labels: ["x"], fork: true },
    });
    expect(facts).toMatchObject({
      number: 7,
      nodeId: "PR_7",
      author: { kind: "user", login: "alice" },
      title: "t",
      body: "b",
      draft: true,
      state: "open",
      merged: false,
      openedAt: minute(0),
      head: { sha: "abcd", ref: "task-1", repositoryId: 2 },
      base: { ref: "dev" },
      labels: ["x"],
      repository: { id: 1, owner: "owner", name: "repository", defaultBranch: "main", private: false },
      files: null,
    });
  });

  it("leaves out what is ordinary", () => {
    const { opened_at: _, ...shortest } = pull;
    const facts = factsOf({ pull: shortest });
    expect(facts).toMatchObject({
      title: "",
      body: "",
      draft: false,
      openedAt: Date.UTC(2026, 0, 1),
      head: { ref: "", repositoryId: 1 },
      base: { ref: "main" },
      labels: [],
      checks: [],
    });
    expect(facts.acts.map(({ kind, at }) => [kind, at])).toEqual([["opened", Date.UTC(2026, 0, 1)]]);
  });

  it("tells each kind of act, in the order of dates", () => {
    const by = "bob";
    const facts = factsOf({
      acts: [
        { do: "plan", at: "14m", by, plan: "bench", result: "failure" },
        { do: "labeled", at: "1m", by: "rex[bot]", label: "A" },
        { do: "unlabeled", at: "2m", by, label: "A" },
        { do: "review", at: "3m", by, state: "approved", id: 5 },
        { do: "review_dismissed", at: "4m", by, id: 5 },
        { do: "pushed", at: "5m", by, sha: "beef" },
        { do: "review", at: "6m", by, state: "commented", sha: "abcd" },
        { do: "drafted", at: 420, by },
        { do: "readied", at: "8m", by },
        { do: "closed", at: "9m", by },
        { do: "reopened", at: "10m", by },
        { do: "base_changed", at: "11m", by, to: "dev" },
        { do: "command", at: "12m", by, command: "ship" },
        { do: "command", at: "12m", by, command: "to", argument: "qa" },
        { do: "workflow", at: "2026-03-02T09:13:00Z", by, workflow: "qa.yml", result: "success", sha: "abcd" },
        { do: "closed", at: "15m", by, merged: true },
      ],
    });
    const told = facts.acts.map(({ id: _, by: who, at, ...rest }) => ({
      ...rest,
      by: who.login,
      minute: (at - minute(0)) / 60_000,
    }));
    expect(told).toMatchObject([
      { kind: "opened", by: "alice", minute: 0 },
      { kind: "labeled", label: "A", by: "rex[bot]", minute: 1 },
      { kind: "unlabeled", label: "A", minute: 2 },
      { kind: "review", reviewId: "5", state: "approved", sha: "abcd", minute: 3 },
      { kind: "review_dismissed", reviewId: "5", minute: 4 },
      { kind: "pushed", before: "abcd", sha: "beef", forced: false, minute: 5 },
      { kind: "review", state: "commented", sha: "abcd", minute: 6 },
      { kind: "drafted", minute: 7 },
      { kind: "readied", minute: 8 },
      { kind: "closed", merged: false, minute: 9 },
      { kind: "reopened", minute: 10 },
      { kind: "base_changed", from: "main", to: "dev", minute: 11 },
      { kind: "command", command: "ship", argument: "", minute: 12 },
      { kind: "command", command: "to", argument: "qa", minute: 12 },
      { kind: "workflow", workflow: "qa.yml", result: "success", sha: "abcd", minute: 13 },
      { kind: "plan", plan: "bench", result: "failure", sha: "beef", within: { workflow: "plans.yml" }, minute: 14 },
      { kind: "closed", merged: true, minute: 15 },
    ]);
    expect(facts).toMatchObject({
      state: "closed",
      merged: true,
      head: { sha: "beef" },
      base: { ref: "dev" },
      draft: false,
      labels: [],
    });
    expect(new Set(facts.acts.map(({ id }) => id)).size).toBe(facts.acts.length);
  });

  it.each<[string | undefined, string | null, string]>([
    [undefined, null, ""],
    ["started", null, ""],
    ["default_branch", null, ""],
    ["unchanged", "main", ""],
    ["changed", "main", "the pull request changes it"],
    ["untold", null, "GitHub did not say"],
  ])("a run whose origin is %s", (origin, baseRef, detail) => {
    const run = { at: "1m", by: "bob", result: "success", ...(origin === undefined ? {} : { origin }) };
    const facts = factsOf({
      acts: [
        { do: "workflow", workflow: "qa.yml", ...run },
        { do: "plan", plan: "p", workflow: "w.yml", ...run },
      ],
    });
    const runs = facts.acts.flatMap((act) =>
      act.kind === "workflow" ? [act.runId] : act.kind === "plan" ? [act.run] : [],
    );
    expect(facts.runOrigins).toEqual(
      runs.sort().map((runId) => ({ runId, sha: "abcd", baseRef, origin: origin ?? "started", detail })),
    );
    expect(runs).toHaveLength(2);
  });

  it("tells checks of the head, by the workflows' own app, completed with success, unless it says otherwise", () => {
    const facts = factsOf({
      acts: [{ do: "pushed", at: "5m", by: "bob", sha: "beef" }],
      checks: [
        { name: "a" },
        { name: "b", app: "ci", status: "in_progress", conclusion: "failure", at: "7m" },
        { name: "c", app: "ci", conclusion: "failure", sha: "abcd" },
        { name: "d", app: "other", status: "queued" },
      ],
    });
    const told = facts.checks.map(({ name, appSlug, status, conclusion, sha, at, ours }) => [
      name,
      appSlug,
      status,
      conclusion,
      sha,
      (at - minute(0)) / 60_000,
      ours,
    ]);
    expect(told.sort()).toEqual([
      ["a", "github-actions", "completed", "success", "beef", 5, false],
      ["b", "ci", "in_progress", null, "beef", 7, false],
      ["c", "ci", "completed", "failure", "abcd", 5, false],
      ["d", "other", "queued", null, "beef", 5, false],
    ]);
    const ids = new Map(facts.checks.map(({ appSlug, appId }) => [appSlug, appId]));
    expect(new Set(ids.values()).size).toBe(3);
    // One of all apps' suites is over: that in which nothing goes on.
    expect(
      facts.suites
        ?.flatMap(({ suites }) => suites.map(({ app, finished, workflow }) => [app, finished, workflow]))
        .sort(),
    ).toEqual([
      ["ci", false, null],
      ["github-actions", true, null],
      ["other", false, null],
    ]);
  });

  it("tells files of the head, and further facts by events", () => {
    const { facts, after } = read({
      files: ["a.ts"],
      events: {
        pushed: { acts: [{ do: "pushed", at: "5m", by: "bob", sha: "beef" }], files: ["b.ts"] },
        nothing: {},
      },
    });
    expect(facts.files).toEqual(["a.ts"]);
    expect([...after.keys()]).toEqual(["pushed", "nothing"]);
    expect(after.get("pushed")?.()).toMatchObject({ head: { sha: "beef" }, files: ["b.ts"] });
    expect(after.get("nothing")?.()).toMatchObject({ head: { sha: "abcd" }, files: ["a.ts"] });
  });

  it.each<[string, object, readonly string[]]>([
    ["no pull request", {}, ["pull"]],
    [
      "a date before the opening",
      { pull, acts: [{ do: "drafted", at: "2026-03-01T09:00:00Z", by: "a" }] },
      ["acts[0].at"],
    ],
    ["a date that is none", { pull, acts: [{ do: "drafted", at: "yesterday", by: "a" }] }, ["acts[0].at"]],
    ["a date without its time", { pull, acts: [{ do: "drafted", at: "2026-03-02", by: "a" }] }, ["acts[0].at"]],
    ["a date of a check that is none", { pull, checks: [{ name: "a", at: "soon" }] }, ["checks[0].at"]],
    ["an opening that is no date", { pull: { ...pull, opened_at: "soon" } }, ["pull.opened_at"]],
    ["a login that is none", { pull: { ...pull, author: "a b" } }, ["pull.author"]],
    ["a commit that is none", { pull: { ...pull, head: "xyz" } }, ["pull.head"]],
    ["an unknown act", { pull, acts: [{ do: "sung", at: 1, by: "a" }] }, ["acts[0].do"]],
    [
      "an unknown result",
      { pull, acts: [{ do: "workflow", at: 1, by: "a", workflow: "w", result: "fine" }] },
      ["acts[0].result"],
    ],
    ["a team that is none", { pull, people: { a: { teams: ["org/team"] } } }, ["people.a.teams[0]"]],
    ["a permission that there is not", { pull, people: { a: { permission: "owner" } } }, ["people.a.permission"]],
    ["a number from 1", { pull: { ...pull, number: 0 } }, ["pull.number"]],
  ])("is refused with %s", (_what, file, places) => {
    expect(problemsOf(file).map((line) => line.split(":")[0])).toEqual(places);
  });

  it("is refused with each unknown key, told at its place", () => {
    expect(problemsOf({ pull, chekcs: [], acts: [{ do: "drafted", at: 1, by: "a", label: "x" }] })).toEqual([
      expect.stringMatching(/^acts\[0\]: .*label/),
      expect.stringMatching(/chekcs/),
    ]);
  });

  it("an event's mistake is told once the event is asked for", () => {
    const { after } = read({ events: { late: { acts: [{ do: "drafted", at: "never", by: "a" }] } } });
    expect(() => after.get("late")?.()).toThrow(/^events\.late\.acts\[0\]\.at: /);
  });
});

describe("the people of a file", () => {
  const { people } = read({
    people: { bob: { id: 5, permission: "write", teams: ["@org/qa"] }, carol: {}, "rex[bot]": { permission: "read" } },
  });
  const [bob, carol, rex, eve] = ["bob", "carol", "rex[bot]", "eve"].map((login) => people.actor(login));
  if (bob === undefined || carol === undefined || rex === undefined || eve === undefined) throw new Error("Nobody.");

  it("are who they are each time, apps by their ending", () => {
    expect(bob).toEqual({ kind: "user", id: 5, login: "bob" });
    expect(rex.kind).toBe("bot");
    expect(people.actor("carol")).toBe(carol);
    expect(new Set([bob, carol, rex, eve].map(({ id }) => id)).size).toBe(4);
    expect(people.appId("x")).toBe(people.appId("x"));
    expect(people.appId("x")).not.toBe(people.appId("y"));
  });

  it("may what the file says; of whom it does not speak nothing is known", () => {
    const lookups = [bob, carol, eve].flatMap((actor) => [
      { kind: "permission", actor } as const,
      { kind: "team", team: "org/qa", actor } as const,
    ]);
    expect(
      people.answer(NO_PERMISSIONS, [...lookups, { kind: "identity", login: "rex[bot]" }, { kind: "files" }]),
    ).toEqual({
      levels: { "user:5": "write", [`user:${carol.id}`]: "none" },
      teams: { "org/qa": { "user:5": true, [`user:${carol.id}`]: false } },
      identities: { "rex[bot]": rex },
    });
  });

  it("what was known before stays", () => {
    const known = {
      levels: { "user:1": "read" as const },
      teams: { "org/qa": { "user:1": true } },
      identities: { x: null },
    };
    expect(people.answer(known, [{ kind: "team", team: "org/qa", actor: bob }])).toEqual({
      ...known,
      teams: { "org/qa": { "user:1": true, "user:5": true } },
    });
  });
});
