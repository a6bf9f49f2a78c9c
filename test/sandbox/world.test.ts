import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as w from "../../src/sandbox/world/index.ts";

function furnished() {
  const errors: unknown[] = [];
  let now = Date.UTC(2026, 0, 1);
  const world = w.createWorld({ seed: "s", now: () => (now += 1000), report: (error) => errors.push(error) });
  const alice = w.addUser(world, "alice");
  const bob = w.addUser(world, "bob");
  const by = w.asUser(alice);
  const repo = w.addRepository(world, by, { owner: alice, name: "demo", files: { "a.txt": "a\n", "b.txt": "b\n" } });
  w.setCollaborator(world, by, repo, bob, "write");
  const kinds: string[] = [];
  world.changes.record(
    (change) => void kinds.push("action" in change ? `${change.kind} ${change.action}` : change.kind),
  );
  return { world, alice, bob, by, repo, kinds, errors };
}

describe("commits", () => {
  it("have git's own hashes", () => {
    const { world, repo } = furnished();
    const file = w.required(w.readFileAt(world, repo, "a.txt"));
    // printf 'a\n' | git hash-object --stdin
    expect(w.blobSha(file)).toBe("78981922613b2afb6025042ff6bd878ac1994e85");
    // git write-tree of that one file
    expect(w.treeSha(w.directoryOf(new Map([["a.txt", file]])))).toBe("08585692ce06452da6f82ae66b90d98b55536fca");
  });

  it("refuse paths that lead out of the repository", () => {
    const { world, by, repo } = furnished();
    for (const path of ["/etc/passwd", "../x", "a/../../x", "a//b", ""]) {
      expect(() => w.commitFiles(world, by, repo, { branch: "main", message: "m", files: { [path]: "x" } })).toThrow(
        w.WorldError,
      );
    }
  });
});

describe("a pull request", () => {
  function open() {
    const house = furnished();
    w.commitFiles(house.world, house.by, house.repo, { branch: "topic", message: "m", files: { "a.txt": "a2\n" } });
    return {
      ...house,
      pull: w.openPull(house.world, house.by, house.repo, { title: "T", base: "main", head: "topic" }),
    };
  }

  it("has a test merge of both sides, at refs/pull/N/merge", () => {
    const { world, by, repo, pull } = open();
    w.commitFiles(world, by, repo, { branch: "main", message: "m", files: { "b.txt": "b2\n" } });
    expect(repo.refs.get("refs/pull/1/head")).toBe(pull.head.sha);
    expect(repo.refs.get("refs/pull/1/merge")).toBe(pull.mergeCommitSha);
    const read = (path: string) => w.readFileAt(world, repo, path, "refs/pull/1/merge")?.bytes.toString();
    expect([read("a.txt"), read("b.txt")]).toEqual(["a2\n", "b2\n"]);
  });

  it("cannot be merged while both sides changed the same file, and can again after", () => {
    const { world, by, repo, pull } = open();
    w.commitFiles(world, by, repo, { branch: "main", message: "m", files: { "a.txt": "a3\n" } });
    expect(w.mergeState(world, pull)).toBe("dirty");
    expect(() => w.mergePull(world, by, pull)).toThrow("not mergeable");
    w.commitFiles(world, by, repo, { branch: "main", message: "m", files: { "a.txt": "a\n" } });
    expect(w.mergeState(world, pull)).toBe("clean");
  });

  it.each(["merge", "squash", "rebase"] as const)("merges by %s with the same files", (method) => {
    const { world, by, repo, pull, kinds } = open();
    w.commitFiles(world, by, repo, { branch: "topic", message: "m2", files: { "c.txt": "c\n", "b.txt": null } });
    kinds.length = 0;
    const made = w.mergePull(world, by, pull, { method });
    expect([...made.files.keys()].sort()).toEqual(["a.txt", "c.txt"]);
    expect(repo.refs.get("refs/heads/main")).toBe(made.sha);
    expect(made.parents).toHaveLength(method === "merge" ? 2 : 1);
    expect(kinds).toEqual(["pull_request closed", "push"]);
    expect(pull).toMatchObject({ merged: true, state: "closed", mergeCommitSha: made.sha });
  });

  it("says when its head was forced, and closes when its branch is deleted", () => {
    const { world, by, repo, pull } = open();
    const main = w.requireBranch(repo, "main");
    const other = w.makeCommit(world, {
      tree: w.editTree(w.commit(world, main).files, { "z.txt": "z" }),
      parents: [main],
      message: "z",
      author: by.account,
    });
    const found: w.Change[] = [];
    world.changes.record((change) => void found.push(change));
    w.setRef(world, by, repo, "refs/heads/topic", other.sha);
    expect(found.find((change) => change.kind === "pull_request")).toMatchObject({
      action: "synchronize",
      forced: true,
    });
    expect(pull.timeline.at(-1)?.event).toBe("head_ref_force_pushed");
    w.deleteRef(world, by, repo, "refs/heads/topic");
    expect(pull.state).toBe("closed");
    expect(() => w.reopenPull(world, by, pull)).toThrow("head branch was deleted");
  });

  it("waits for its branch's protection, and merges by itself when that is met", () => {
    const { world, by, bob, repo, pull, alice } = open();
    const app = w.addApp(world, { slug: "gate", owner: alice, permissions: { checks: "write" }, events: [] });
    w.protectBranch(repo, "main", { requiredChecks: [{ context: "gate", appId: app.id }], requiredApprovals: 1 });
    expect(w.mergeState(world, pull)).toBe("blocked");
    w.enableAutoMerge(world, by, pull, { method: "squash" });
    const forged = w.actionsApp(world);
    w.createCheckRun(world, w.asApp(world, forged), {
      repository: repo,
      app: forged,
      headSha: pull.head.sha,
      name: "gate",
      conclusion: "success",
    });
    w.submitReview(world, w.asApp(world, app), pull, { state: "APPROVED" });
    expect([w.mergeState(world, pull), pull.merged]).toEqual(["blocked", false]);
    w.createCheckRun(world, w.asApp(world, app), {
      repository: repo,
      app,
      headSha: pull.head.sha,
      name: "gate",
      conclusion: "success",
    });
    expect(pull.merged).toBe(false);
    w.submitReview(world, w.asUser(bob), pull, { state: "APPROVED" });
    expect(pull.merged).toBe(true);
  });

  it("of a fork follows the fork's branch", () => {
    const { world, bob, by, repo } = furnished();
    const fork = w.forkRepository(world, w.asUser(bob), repo, bob);
    w.commitFiles(world, w.asUser(bob), fork, { branch: "topic", message: "m", files: { "x.txt": "x" } });
    const pull = w.openPull(world, w.asUser(bob), repo, {
      title: "T",
      base: "main",
      head: "topic",
      headRepository: fork,
    });
    const made = w.commitFiles(world, w.asUser(bob), fork, { branch: "topic", message: "m", files: { "x.txt": "y" } });
    expect(pull.head.sha).toBe(made.sha);
    w.mergePull(world, by, pull);
    expect(w.readFileAt(world, repo, "x.txt")?.bytes.toString()).toBe("y");
  });
});

describe("the change feed", () => {
  it("calls recorders at once and listeners after, in order; a listener's fault is reported and stops nobody", async () => {
    const { world, by, repo, errors } = furnished();
    await Promise.resolve();
    const seen: string[] = [];
    world.changes.record((change) => void seen.push(`r${change.id}`));
    world.changes.subscribe(() => {
      throw new Error("mine");
    });
    world.changes.subscribe((change) => void seen.push(`l${change.id}`));
    w.createLabel(world, by, repo, { name: "a" });
    w.createLabel(world, by, repo, { name: "b" });
    const [first = "", second = ""] = seen;
    expect(seen).toHaveLength(2);
    await Promise.resolve();
    expect(seen.slice(2)).toEqual([first.replace("r", "l"), second.replace("r", "l")]);
    expect(errors.map(String)).toEqual(["Error: mine", "Error: mine"]);
  });

  it("is the same for the same seed and clock", () => {
    const [one, two] = [furnished(), furnished()];
    expect([...one.world.nodes.keys()]).toEqual([...two.world.nodes.keys()]);
    expect(w.addUserToken(one.world, one.alice)).toBe(w.addUserToken(two.world, two.alice));
  });
});

describe("permissions", () => {
  it("are the highest of own and team's; a bot has none of its own", () => {
    const { world, by, repo, bob } = furnished();
    const acme = w.addOrganization(world, "acme");
    const team = w.addTeam(world, by, acme, "leads");
    const carol = w.addUser(world, "carol");
    expect(w.permissionOf(world, repo, carol)).toBe("read");
    w.addTeamMember(world, by, team, carol);
    w.addTeamMember(world, by, team, bob);
    repo.teams.set(team.id, "maintain");
    expect([carol, bob].map((one) => w.permissionOf(world, repo, one))).toEqual(["maintain", "maintain"]);
    const app = w.addApp(world, { slug: "x", owner: acme, permissions: {}, events: [] });
    expect(w.permissionOf(world, repo, w.botOf(world, app.id))).toBe("read");
  });
});

describe("check suites", () => {
  it("sum up their newest runs, worst first", () => {
    const conclusion = fc.constantFrom(...w.conclusions);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.option(conclusion, { nil: null })), {
          minLength: 1,
          maxLength: 8,
        }),
        (steps) => {
          const { world, repo, alice } = furnished();
          const app = world.apps.values().next().value ?? w.actionsApp(world);
          expect(alice.type).toBe("User");
          const newest = new Map<string, w.Conclusion | null>();
          for (const [name, one] of steps) {
            w.createCheckRun(world, w.asApp(world, app), {
              repository: repo,
              app,
              headSha: w.requireBranch(repo, "main"),
              name,
              ...(one === null ? {} : { conclusion: one }),
            });
            newest.set(name, one);
          }
          const [suite] = w.suitesOn(world, repo, w.requireBranch(repo, "main"));
          const open = [...newest.values()].includes(null);
          expect(suite?.status === "completed").toBe(!open);
          expect(suite?.conclusion).toBe(open ? null : w.worstConclusion([...newest.values()]));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("ids", () => {
  it("are beyond 2^53 wherever GitHub could make them so, and else only of deliveries", () => {
    for (const largeIds of [true, false]) {
      const { ids } = w.createWorld({ report: () => {}, largeIds });
      const isLarge = (kind: string): boolean => [ids.next(kind), ids.next(kind)].every((id) => id > 2 ** 53);
      expect(["Comment", "Review", "CheckRun", "WorkflowRun"].map(isLarge)).toEqual(Array(4).fill(largeIds));
      expect(["Account", "Repository", "Installation", "App"].some(isLarge)).toBe(false);
      const [one, two] = [BigInt(ids.nextDelivery()), BigInt(ids.nextDelivery())];
      expect([two - one, BigInt(Number(one)) === one]).toEqual([2n, false]);
    }
    const { ids } = w.createWorld({ report: () => {} });
    expect(new Set(Array.from({ length: 100 }, () => ids.next("Comment"))).size).toBe(100);
  });
});
