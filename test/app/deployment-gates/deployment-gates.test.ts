/** Jobs that wait for an environment, over real HTTP: opened by the stage, early or late, and by nothing else. */

import { createHmac } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import {
  addComment,
  addJob,
  addLabelsByName,
  addProtectionRule,
  asUser,
  closePull,
  commitFiles,
  completeRun,
  createRun,
  deployJob,
  forkRepository,
  mergePull,
  openPull,
  type ProtectionRequest,
  type PullRequest,
  removeLabelByName,
  required,
  updateJob,
  type WorkflowRun,
} from "../../../src/sandbox/world/index.ts";
import { type House, type HouseOptions, openHouse, SECRET } from "../house.ts";

const policy = (release = "release: staging", more = "") => `version: 1
operators: [tess]
stages:
  - { name: open, enter: { draft: false } }
  - { name: staging, enter: { label: go }, on_enter: [{ ${release} }] }
  - { name: done, gate: true, enter: { approvals: 1 }${more} }
on_push: { back_to: open, cancel: true, except: { by: [cleo] } }
`;
const DEPLOY = "on: push\njobs: { deploy: { runs-on: self-hosted, environment: staging, steps: [{ run: deploy }] } }\n";

let house: House;
afterEach(async () => {
  await house.close();
});

async function open(text = policy(), options: HouseOptions = {}): Promise<void> {
  house = await openHouse({
    events: ["deployment_protection_rule"],
    ...options,
    permissions: { actions: "write", deployments: "write", ...options.permissions },
    files: { ".github/stagewright.yml": text, ".github/workflows/deploy.yml": DEPLOY },
  });
  for (const environment of ["staging", "production"]) {
    addProtectionRule(world(), house.repository, environment, house.registered);
  }
}

const world = () => house.sandbox.world;

interface Waiting {
  readonly run: WorkflowRun;
  readonly request: ProtectionRequest;
}

/** A job of a run that reaches its environment and is held there. */
function wait(run: WorkflowRun, environment = "staging"): Waiting {
  const job = addJob(world(), run, { key: "deploy", name: "deploy", labels: [], environment, status: "waiting" });
  const [request] = deployJob(world(), run, job).requests;
  return { run, request: required(request, "nothing guards it") };
}
type NewRun = Parameters<typeof createRun>[2];
const run = (input: Partial<NewRun> & Pick<NewRun, "ref" | "sha" | "headSha">): WorkflowRun =>
  createRun(world(), asUser(house.rex), {
    repository: house.repository,
    path: ".github/workflows/deploy.yml",
    event: "push",
    headBranch: input.ref.replace("refs/heads/", ""),
    payload: {},
    ...input,
  });
/** Of the event `pull_request`, as GitHub makes it. */
const ofPull = (pull: PullRequest, overrides: Partial<NewRun> = {}): WorkflowRun =>
  run({
    event: "pull_request",
    ref: `refs/pull/${pull.number}/merge`,
    sha: pull.mergeCommitSha ?? "",
    headSha: pull.head.sha,
    headBranch: pull.head.ref,
    pullNumbers: [pull.number],
    ...overrides,
  });
const mainSha = () => required(house.repository.refs.get("refs/heads/main"));

const go = (pull: PullRequest) => addLabelsByName(world(), asUser(house.cleo), pull, ["go"]);
async function opened(): Promise<PullRequest> {
  const pull = house.open();
  await house.settled();
  house.later();
  return pull;
}
async function staged(): Promise<PullRequest> {
  const pull = await opened();
  go(pull);
  await house.settled();
  house.later();
  return pull;
}
const said = ({ request }: Waiting) => request.comments.map((each) => each.text);
const lines = async (pull: PullRequest) =>
  (await house.history(pull)).filter((line) => line.kind === "effect").map((line) => line.reason);

describe("a job of a pull request", () => {
  it("waits until the stage is reached, saying what is missing, and begins then", async () => {
    await open();
    const pull = await opened();
    const gate = wait(ofPull(pull));
    await house.settled();
    expect(gate.request.state).toBe("pending");
    expect(said(gate)).toEqual([
      expect.stringMatching(/^Waits until #1 is in staging; it is in open\. Next is staging: .*label go/),
    ]);
    go(pull);
    await house.settled();
    expect(gate.request.state).toBe("approved");
    expect(said(gate).at(-1)).toBe("#1 has reached staging.");
    expect(await lines(pull)).toEqual([
      expect.stringMatching(/^a job waits for the environment staging: waits until #1 is in staging/),
      "the environment staging is released",
      `the job that waited for the environment staging may begin (run ${gate.run.id}): #1 has reached staging`,
    ]);
  });

  it("that comes late finds what has happened already", async () => {
    await open();
    const pull = await staged();
    const gate = wait(ofPull(pull));
    await house.settled();
    expect(gate.request.state).toBe("approved");
    expect(said(gate)).toEqual(["#1 has reached staging."]);
  });

  it("begins when the stage is passed on the way to a later one", async () => {
    await open(policy("release: staging", ", when: { not: { label: x } }"));
    const pull = await opened();
    const gate = wait(ofPull(pull));
    await house.settled();
    addComment(world(), asUser(house.tess), pull, "/stage to done");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/done"]);
    expect(gate.request.state).toBe("approved");
  });

  it("says anew what is missing when that changes, and no more often", async () => {
    await open(policy().replace("enter: { label: go }", "enter: { label: go, checks: [build] }"));
    const pull = await opened();
    const gate = wait(ofPull(pull));
    await house.settled();
    addLabelsByName(world(), asUser(house.cleo), pull, ["documentation"]);
    await house.settled();
    expect(said(gate)).toHaveLength(1);
    go(pull);
    await house.settled();
    expect(said(gate)).toHaveLength(2);
    expect(said(gate)[1]).toMatch(/build/);
  });

  it("does not begin when the stage was left again", async () => {
    await open();
    const pull = await staged();
    removeLabelByName(world(), asUser(house.cleo), pull, "go");
    await house.settled();
    const gate = wait(ofPull(pull));
    await house.settled();
    expect(gate.request.state).toBe("pending");
    expect(said(gate)[0]).toMatch(/it is in open/);
  });

  it("waits while the pull request is on hold", async () => {
    await open();
    const pull = await staged();
    addComment(world(), asUser(house.rex), pull, "/stage hold not before Monday");
    await house.settled();
    const gate = wait(ofPull(pull));
    await house.settled();
    expect(said(gate)).toEqual(["#1 is on hold by rex: not before Monday."]);
    house.later();
    addComment(world(), asUser(house.rex), pull, "/stage unhold");
    await house.settled();
    expect(gate.request.state).toBe("approved");
  });

  it("waits where a hold was given while the answer waited for its turn to be written", async () => {
    await open();
    const pull = await staged();
    const { gates, holds } = house.store;
    const save = gates.save.bind(gates);
    const by = { kind: "user", id: house.tess.id, login: "tess" } as const;
    const hold = { repositoryId: house.repository.id, held: true, at: Date.now(), by, reason: "release" };
    gates.save = async (gate) => {
      const saved = await save(gate);
      if (gate.sent === "approved") {
        await holds.put(hold);
      }
      return saved;
    };
    const gate = wait(ofPull(pull));
    await house.settled();
    expect(gate.request.state).toBe("pending");
    await house.until("it says why", () => said(gate).join() === "#1 is on hold by tess: release.");
  });

  it("that no stage releases waits, and says what to add", async () => {
    await open();
    const pull = await staged();
    const gate = wait(ofPull(pull), "production");
    await house.settled();
    expect(gate.request.state).toBe("pending");
    expect(said(gate)[0]).toMatch(/no stage of the policy that #1 goes through releases production: add/i);
  });

  it("finds its environment whatever the case of its name", async () => {
    await open(policy("release: Staging"));
    const pull = await staged();
    const gate = wait(ofPull(pull));
    await house.settled();
    expect(gate.request.state).toBe("approved");
  });

  it("is rejected when a newer commit was pushed, and the newer one's begins", async () => {
    await open();
    const pull = await opened();
    const old = wait(ofPull(pull));
    await house.settled();
    house.later();
    house.push(pull);
    await house.settled();
    expect(old.request.state).toBe("rejected");
    expect(said(old).at(-1)).toMatch(/^Superseded: \w{7} is not the head of #1 any more\.$/);
    const gate = wait(ofPull(pull));
    await house.settled();
    expect(gate.request.state).toBe("pending");
    house.later();
    go(pull);
    await house.settled();
    expect(gate.request.state).toBe("approved");
  });

  it("is not out of date after a push that the policy excepts", async () => {
    await open();
    const pull = await opened();
    const gate = wait(ofPull(pull));
    await house.settled();
    house.later();
    house.push(pull, house.cleo);
    await house.settled();
    expect(gate.request.state).toBe("pending");
    go(pull);
    await house.settled();
    expect(gate.request.state).toBe("approved");
  });

  it("that comes before its push is known waits for that", async () => {
    await open();
    const pull = await staged();
    house.sandbox.faults.place({ kind: "hookDelay", match: { event: "pull_request" }, ms: 300 });
    house.push(pull, house.cleo);
    const gate = wait(ofPull(pull));
    await house.until("it begins", () => gate.request.state === "approved");
    expect(said(gate)).toEqual(["#1 has reached staging."]);
  });

  it("is rejected when the pull request is closed", async () => {
    await open();
    const pull = await opened();
    const gate = wait(ofPull(pull));
    await house.settled();
    closePull(world(), asUser(house.rex), pull);
    await house.settled();
    expect(gate.request.state).toBe("rejected");
    expect(said(gate).at(-1)).toBe("#1 was closed.");
  });

  it("begins after the merge of what had reached the stage", async () => {
    await open();
    const pull = await staged();
    mergePull(world(), asUser(house.rex), pull, { method: "squash" });
    const gate = wait(ofPull(pull));
    await house.settled();
    expect(gate.request.state).toBe("approved");
  });
});

describe("which pull request a job belongs to", () => {
  it("is known by the commit where the run names none", async () => {
    await open();
    const pull = await staged();
    const gate = wait(run({ ref: `refs/heads/${pull.head.ref}`, sha: pull.head.sha, headSha: pull.head.sha }));
    await house.settled();
    expect(gate.request.state).toBe("approved");
  });

  it("may be opened later than the job waits", async () => {
    await open();
    const { sha } = commitFiles(world(), asUser(house.rex), house.repository, {
      branch: "early",
      message: "Early",
      files: { "early.txt": "x\n" },
    });
    const gate = wait(run({ ref: "refs/heads/early", sha, headSha: sha }));
    await house.settled();
    expect(said(gate)[0]).toMatch(/^No open pull request has this commit as its head; it waits 24 h/);
    const input = { title: "Early", head: "early", base: "main" };
    const pull = openPull(world(), asUser(house.rex), house.repository, input);
    await house.settled();
    expect(gate.request.state).toBe("pending");
    house.later();
    go(pull);
    await house.settled();
    expect(gate.request.state).toBe("approved");
  });

  it("of several with one commit: all have to be there", async () => {
    await open();
    const first = await staged();
    createBase();
    const input = { title: "Again", head: first.head.ref, base: "next" };
    const second = openPull(world(), asUser(house.rex), house.repository, input);
    await house.settled();
    const gate = wait(run({ ref: `refs/heads/${first.head.ref}`, sha: first.head.sha, headSha: first.head.sha }));
    await house.settled();
    expect(gate.request.state).toBe("pending");
    house.later();
    go(second);
    await house.settled();
    expect(gate.request.state).toBe("approved");
  });

  it("is found out for one that nobody told us of", async () => {
    await open();
    house.sandbox.faults.place({ kind: "hookDrop", match: { event: "pull_request" }, times: 3 });
    const pull = house.open();
    go(pull);
    const gate = wait(ofPull(pull));
    await house.until("it begins", () => gate.request.state === "approved");
  });

  it("is in the ref of a merge group", async () => {
    await open();
    const pull = await staged();
    const sha = pull.mergeCommitSha ?? "";
    const ref = `refs/heads/gh-readonly-queue/main/pr-${pull.number}-${mainSha()}`;
    const gate = wait(run({ event: "merge_group", ref, sha, headSha: sha }));
    await house.settled();
    expect(gate.request.state).toBe("approved");
  });
});

const createBase = () =>
  commitFiles(world(), asUser(house.rex), house.repository, {
    branch: "next",
    message: "Next",
    files: { "next.txt": "x\n" },
  });

describe("a job of no pull request", () => {
  it("begins on the default branch, after a push or on schedule", async () => {
    await open();
    const sha = mainSha();
    const pushed = wait(run({ ref: "refs/heads/main", sha, headSha: sha }), "production");
    const scheduled = wait(run({ event: "schedule", ref: "refs/heads/main", sha, headSha: sha }));
    await house.settled();
    expect(pushed.request.state).toBe("approved");
    expect(scheduled.request.state).toBe("approved");
    expect(said(pushed)).toEqual(["A run of main itself."]);
  });

  it.each([
    ["another branch", { ref: "refs/heads/other" }],
    ["a dispatch by hand, whose inputs nobody has looked at", { event: "workflow_dispatch", ref: "refs/heads/main" }],
    ["a comment", { event: "issue_comment", ref: "refs/heads/main" }],
    [
      "a branch that is called like the default one of a fork",
      { event: "pull_request_target", ref: "refs/heads/main" },
    ],
  ] as const)("waits for one when it comes of %s, and is rejected in the end", async (_, overrides) => {
    await open(policy(), { oneClock: true, timings: { freeRunMost: 60_000 } });
    const sha = mainSha();
    const gate = wait(run({ sha, headSha: sha, ...overrides }));
    await house.settled();
    expect(said(gate)).toHaveLength(1);
    expect(gate.request.state).toBe("pending");
    house.later(61);
    house.app.engine().deploymentGates.worker.wake();
    await house.settled();
    expect(gate.request.state).toBe("rejected");
  });
});

describe("the head of a fork", () => {
  async function forked(): Promise<PullRequest> {
    const fork = forkRepository(world(), asUser(house.mallory), house.repository, house.mallory);
    const branch = { branch: "theirs", message: "Mine", files: { "mine.txt": "mine\n" } };
    commitFiles(world(), asUser(house.mallory), fork, branch);
    const input = { title: "Theirs", head: "theirs", headRepository: fork, base: "main" };
    const pull = openPull(world(), asUser(house.mallory), house.repository, input);
    await house.settled();
    house.later();
    return pull;
  }

  it("is rejected unless the policy says otherwise", async () => {
    await open();
    const pull = await forked();
    go(pull);
    const gate = wait(ofPull(pull));
    await house.settled();
    expect(gate.request.state).toBe("rejected");
    expect(said(gate)[0]).toMatch(
      /the head of #1 is in another repository, and the policy does not say `forks: true`/i,
    );
  });

  it("begins where the policy says so", async () => {
    await open(policy("release: { environment: staging, forks: true }"));
    const pull = await forked();
    const gate = wait(ofPull(pull));
    await house.settled();
    expect(gate.request.state).toBe("pending");
    go(pull);
    await house.settled();
    expect(gate.request.state).toBe("approved");
  });

  it("cannot say so itself: the policy is the default branch's", async () => {
    await open();
    const fork = forkRepository(world(), asUser(house.mallory), house.repository, house.mallory);
    commitFiles(world(), asUser(house.mallory), fork, {
      branch: "theirs",
      message: "Mine",
      files: { ".github/stagewright.yml": policy("release: { environment: staging, forks: true }") },
    });
    const input = { title: "Theirs", head: "theirs", headRepository: fork, base: "main" };
    const pull = openPull(world(), asUser(house.mallory), house.repository, input);
    await house.settled();
    go(pull);
    const gate = wait(ofPull(pull));
    await house.settled();
    expect(gate.request.state).toBe("rejected");
  });
});

describe("when GitHub's answers or webhooks go wrong", () => {
  const answers = { route: "POST /repos/{owner}/{repo}/actions/runs/{run_id}/deployment_protection_rule" };

  it.each(["cut", "502"] as const)("a verdict whose answer was lost (%s) is not taken for refused", async (how) => {
    await open();
    const pull = await staged();
    house.sandbox.faults.place({ kind: "dropAnswer", match: answers, how });
    const gate = wait(ofPull(pull));
    await house.until("it is known", async () => (await lines(pull)).some((line) => line.includes("may begin")));
    expect(gate.request.state).toBe("approved");
    expect((await house.store.gates.ofRun(house.repository.id, `${gate.run.id}`))[0]?.state).toBe("approved");
  });

  it("a refused answer is tried again", async () => {
    await open();
    const pull = await staged();
    house.sandbox.faults.place({ kind: "status", match: answers, status: 503, times: 3 });
    const gate = wait(ofPull(pull));
    await house.until("it begins", () => gate.request.state === "approved");
  });

  it("a lost event is made up for by looking again", async () => {
    await open();
    const pull = await staged();
    house.sandbox.faults.place({ kind: "hookDrop", match: { event: "deployment_protection_rule" } });
    const gate = wait(ofPull(pull));
    await house.settled();
    expect(gate.request.state).toBe("pending");
    const repository = required(await house.store.repository(house.repository.id));
    await house.app.engine().deploymentGates.reconcile(repository);
    await house.settled();
    expect(gate.request.state).toBe("approved");
  });

  it("the sweep looks again", async () => {
    await open();
    const pull = await staged();
    house.sandbox.faults.place({ kind: "hookDrop", match: { event: "deployment_protection_rule" } });
    const gate = wait(ofPull(pull));
    await house.app.engine().reconciliation.sweep(required(await house.store.repository(house.repository.id)));
    await house.settled();
    expect(gate.request.state).toBe("approved");
  });

  it("a sweep asks about jobs only where the policy releases any, or some have waited", async () => {
    await open(policy("comment: hello"));
    await opened();
    house.sandbox.requests.clear();
    await house.app.engine().reconciliation.sweep(required(await house.store.repository(house.repository.id)));
    await house.settled();
    expect(house.sandbox.requests.entries().filter((each) => each.path.includes("/actions/"))).toEqual([]);
  });

  it("killed between the verdict and hearing that it was taken, the app knows it when it comes back", async () => {
    await open();
    const pull = await staged();
    const gate = wait(ofPull(pull));
    await house.settled();
    await house.killed(async ({ gates }) => {
      const [row] = await gates.ofRun(house.repository.id, `${gate.run.id}`);
      await gates.save({ ...required(row ?? null), state: "waiting", sent: "approved", nextAt: null });
    });
    expect((await house.store.gates.ofRun(house.repository.id, `${gate.run.id}`))[0]?.state).toBe("approved");
    expect(said(gate)).toEqual(["#1 has reached staging."]);
  });

  it("looking again answers for no environment that somebody else guards", async () => {
    await open();
    const pull = await opened();
    const known = wait(ofPull(pull));
    house.repository.environments.get("staging")?.rules.splice(0);
    await house.settled();
    const other = required([...world().apps.values()].find((app) => app.id !== house.registered.id));
    addProtectionRule(world(), house.repository, "theirs", other);
    const theirs = wait(ofPull(pull), "theirs");
    await house.app.engine().deploymentGates.reconcile(required(await house.store.repository(house.repository.id)));
    await house.settled();
    expect(theirs.request).toMatchObject({ state: "pending", comments: [] });
    expect(await house.store.gates.ofRun(house.repository.id, `${theirs.run.id}`)).toEqual([]);
    expect(known.request.state).toBe("pending");
  });

  it("an event that comes twice is answered once", async () => {
    await open();
    const pull = await opened();
    house.sandbox.faults.place({ kind: "hookDuplicate", match: { event: "deployment_protection_rule" } });
    const gate = wait(ofPull(pull));
    await house.settled();
    expect(said(gate)).toHaveLength(1);
  });

  it("what the app may not is told once", async () => {
    await open(policy(), { permissions: { deployments: "read" } });
    const pull = await opened();
    const gate = wait(ofPull(pull));
    await house.until("it is told", async () => (await lines(pull)).length > 0);
    await house.until("it was tried again", async () => {
      const [row] = await house.store.gates.ofRun(house.repository.id, `${gate.run.id}`);
      return (row?.tries ?? 0) > 2;
    });
    expect(await lines(pull)).toEqual([expect.stringMatching(/could not be answered for: .*deployments: write/)]);
  });
});

describe("several at once", () => {
  it("each run and environment is answered by its own pull request", async () => {
    await open();
    const [first, second] = [await opened(), await opened()];
    const gates = [wait(ofPull(first)), wait(ofPull(second)), wait(ofPull(first)), wait(ofPull(first), "production")];
    await house.settled();
    go(first);
    await house.settled();
    expect(gates.map(({ request }) => request.state)).toEqual(["approved", "pending", "approved", "pending"]);
  });

  it("a run that is cancelled meanwhile is left alone", async () => {
    await open();
    const pull = await opened();
    const gate = wait(ofPull(pull));
    await house.settled();
    const job = required(world().jobs.get(gate.request.jobId));
    updateJob(world(), job, { status: "completed", conclusion: "cancelled" });
    completeRun(world(), gate.run, "cancelled");
    await house.settled();
    expect((await house.store.gates.ofRun(house.repository.id, `${gate.run.id}`))[0]?.state).toBe("gone");
    go(pull);
    await house.settled();
    expect(await lines(pull)).not.toContainEqual(expect.stringMatching(/may begin/));
  });

  it("a second job of the run that comes later is answered, too", async () => {
    await open();
    const pull = await staged();
    const first = wait(ofPull(pull));
    await house.settled();
    const second = wait(first.run);
    await house.settled();
    expect([first.request.state, second.request.state]).toEqual(["approved", "approved"]);
  });
});

describe("an event that somebody forged", () => {
  it.each([
    ["of another host", (url: string) => url.replace(/^https?:\/\/[^/]+/u, "https://evil.example")],
    ["of another repository", (url: string) => url.replace("/acme/widget/", "/acme/other/")],
    ["of another path", (url: string) => url.replace("/deployment_protection_rule", "/cancel")],
    ["with more behind it", (url: string) => `${url}/../../../../keys`],
  ])("with an address %s is refused, and nothing is sent anywhere", async (_, forge) => {
    await open();
    const pull = await staged();
    house.sandbox.faults.place({ kind: "hookDrop", match: { event: "deployment_protection_rule" } });
    const gate = wait(ofPull(pull));
    await house.settled();
    const delivery = required(
      [...world().deliveries.values()].findLast((each) => each.event === "deployment_protection_rule"),
    );
    const payload = JSON.parse(delivery.request.body);
    const body = JSON.stringify({ ...payload, deployment_callback_url: forge(payload.deployment_callback_url) });
    house.sandbox.requests.clear();
    const answer = await fetch(`${house.url}/api/github/webhooks`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-github-event": "deployment_protection_rule",
        "x-github-delivery": `forged-${delivery.id}`,
        "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
      },
      body,
    });
    expect(answer.status).toBe(202);
    await house.until("its error is kept", async () => {
      const { items } = await house.store.deadDeliveries(5);
      return items.some((each) => each.error?.includes("deployment_callback_url"));
    });
    expect(house.sandbox.requests.counts().total).toBe(0);
    expect(gate.request.state).toBe("pending");
  });
});

describe("names that anybody who may push can give", () => {
  const evil = (branch = "evil"): string =>
    commitFiles(world(), asUser(house.rex), house.repository, {
      branch,
      message: "Evil",
      files: { "evil.txt": "x\n" },
    }).sha;

  it.each(["told", "found by a sweep"])("a tag called as the default branch opens nothing, %s", async (how) => {
    await open();
    const sha = evil();
    await house.settled();
    if (how !== "told") {
      house.sandbox.faults.place({ kind: "hookDrop", match: { event: "deployment_protection_rule" }, times: 1 });
    }
    const gate = wait(run({ ref: "refs/tags/main", sha, headSha: sha, headBranch: "main" }));
    await house.settled();
    await house.app.engine().reconciliation.sweep(required(await house.store.repository(house.repository.id)));
    await house.settled();
    expect(gate.request.state).toBe("pending");
  });

  it("the default branch's own run is found by a sweep and begins, though the branch has gone on", async () => {
    await open();
    const sha = mainSha();
    commitFiles(world(), asUser(house.owner), house.repository, {
      branch: "main",
      message: "Later",
      files: { "later.txt": "x\n" },
    });
    await house.settled();
    house.sandbox.faults.place({ kind: "hookDrop", match: { event: "deployment_protection_rule" }, times: 1 });
    const gate = wait(run({ ref: "refs/heads/main", sha, headSha: sha, headBranch: "main" }));
    await house.settled();
    await house.app.engine().reconciliation.sweep(required(await house.store.repository(house.repository.id)));
    await house.settled();
    expect(gate.request.state).toBe("approved");
  });

  it("a branch called as a merge queue's opens nothing without the queue's event", async () => {
    await open();
    const pull = await staged();
    const branch = `gh-readonly-queue/main/pr-${pull.number}-abcdef0`;
    const sha = evil(branch);
    await house.settled();
    const gate = wait(run({ ref: `refs/heads/${branch}`, sha, headSha: sha }));
    await house.settled();
    expect(gate.request.state).toBe("pending");
  });
});
