/**
 * Jobs that wait for an environment whose protection rule is this app. Each is looked at when GitHub asks, when
 * something about its repository's pull requests is new, and from time to time; it is answered once its pull request
 * has reached the stage that releases the environment, whichever of the two came first.
 */
import { isOnBranch } from "../../src/github/branches.ts";
import type { RequestFailure } from "../../src/github/request-failure.ts";
import { answerGate, MOST_COMMENTS } from "../../src/github/workflows/gates.ts";
import { readRun } from "../../src/github/workflows/workflows.ts";
import {
  combineGateVerdicts,
  evaluateGate,
  evaluateUnattachedRun,
  type GateVerdict,
  isOfDefaultBranch,
  releasesAny,
} from "../../src/lifecycle/evaluation/deployment-gate.ts";
import { validCommits } from "../../src/lifecycle/facts/pushes.ts";
import { audit } from "../audit/audit.ts";
import type { Evaluator } from "../evaluation/evaluator.ts";
import type { Policies } from "../policies/policy.ts";
import { noteLine } from "../store/history.ts";
import type { NewHistory, Repository, WaitingGate } from "../store/model.ts";
import type { DueWorker } from "../work/due-worker.ts";
import { failureOfWork } from "../work/failure.ts";
import type { Alone } from "../work/in-progress/in-progress.ts";
import { type RepositoryAccess, StepWorker, type StepWorkerOptions } from "../work/repository-steps.ts";
import { type Concerned, pullsOf } from "./pulls.ts";
import { findWaiting } from "./sweep.ts";

export interface DeploymentGatesOptions extends StepWorkerOptions {
  readonly evaluator: Evaluator;
  readonly policies: Pick<Policies, "of">;
  readonly appId: number;
}

const NO_FAILURE = { tries: 0, error: null } as const;

export class DeploymentGates {
  readonly #options: DeploymentGatesOptions;
  readonly #steps: StepWorker<WaitingGate>;

  constructor(options: DeploymentGatesOptions) {
    this.#options = options;
    const { due } = options.store;
    this.#steps = new StepWorker(options, {
      what: "jobs that wait",
      topic: "deployment-gates",
      kind: "deployment-gate",
      rows: due.gates,
      takeUp: (of) => options.store.gates.wakeAll(options.now(), of),
      idOf: ({ repositoryId, runId, environment }) => `${repositoryId} ${runId} ${environment}`,
      find: (id) => this.#find(id),
      step: (gate, access) => this.#step(gate, access),
      failed: (gate, failure, at) => this.#failed(gate, failure, at),
      setAside: (gate, reason) => this.#over(gate, reason),
    });
  }

  get worker(): DueWorker<WaitingGate> {
    return this.#steps.worker;
  }

  get alone(): Alone {
    return this.#steps;
  }

  /**
   * Asks GitHub which jobs wait: events may have been lost. Not where the policy releases nothing and nothing ever
   * waited. Throws what kept it from being asked.
   */
  async reconcile(repository: Repository): Promise<void> {
    const { policies, store } = this.#options;
    if (!releasesAny(await policies.of(repository)) && !(await store.gates.known(repository.id))) {
      return;
    }
    await findWaiting(this.#options, repository);
    await store.gates.wake(repository.id, this.#options.now());
    this.#steps.worker.wake();
  }

  async #find(id: string): Promise<WaitingGate | null> {
    const [repositoryId = "", runId = "", ...environment] = id.split(" ");
    const gates = await this.#options.store.gates.ofRun(Number(repositoryId), runId);
    return gates.find((each) => each.environment === environment.join(" ")) ?? null;
  }

  async #step(gate: WaitingGate, access: RepositoryAccess): Promise<void> {
    const { store, now, timings, log } = this.#options;
    if (gate.state !== "waiting") {
      await store.gates.save({ ...gate, nextAt: null, askAt: null });
      return;
    }
    const known = await this.#ask(gate, access);
    if (known === null) {
      await store.gates.save({ ...gate, state: "gone", reason: "the run has ended", nextAt: null, askAt: null });
      return;
    }
    const concerned = await pullsOf(known, this.#options);
    const verdict = await this.#verdictOn(known, concerned, access.repository);
    const pulls = concerned.map(({ number }) => number);
    const next = Math.min(known.askAt ?? Number.POSITIVE_INFINITY, known.askedAt + timings.freeRunMost);
    const decided: WaitingGate = {
      ...known,
      pulls,
      reason: verdict.reason,
      nextAt: next > now() ? next : (known.askAt ?? now() + timings.askGates),
    };
    log.info(
      { ...name(decided, access.repository), pulls, verdict: verdict.verdict, reason: verdict.reason },
      "deployment gate decided",
    );
    if (verdict.verdict !== "wait") {
      await this.#answer(decided, verdict.verdict, concerned, access);
      return;
    }
    await this.#comment(decided, verdict, access);
  }

  /** With what GitHub says of the run, if that is not known or long ago. Null: nothing waits there any more. */
  async #ask(gate: WaitingGate, access: RepositoryAccess): Promise<WaitingGate | null> {
    const { now, timings } = this.#options;
    const { repository, client, signal } = access;
    if (gate.headSha !== null && gate.askAt !== null && gate.askAt > now()) {
      return gate;
    }
    const run = await readRun(client, repository, gate.runId, signal);
    if (run === null || run.status === "completed") {
      return null;
    }
    return {
      ...gate,
      headSha: run.headSha,
      runUrl: run.url,
      event: gate.event === "" ? run.event : gate.event,
      ref: await refOf(gate.ref === "" ? (run.headBranch ?? "") : gate.ref, run.headSha, access),
      fork: run.headRepositoryId !== null && run.headRepositoryId !== repository.id,
      askAt: now() + timings.askGates,
    };
  }

  async #verdictOn(gate: WaitingGate, concerned: readonly Concerned[], repository: Repository): Promise<GateVerdict> {
    const { store, evaluator, now, timings } = this.#options;
    const { environment, event, ref, askedAt } = gate;
    const free = {
      event,
      ref,
      defaultBranch: repository.defaultBranch,
      waitedMs: now() - askedAt,
      mostMs: timings.freeRunMost,
    };
    if (concerned.length === 0 || (isOfDefaultBranch(free) && !gate.fork)) {
      return evaluateUnattachedRun(free);
    }
    const verdicts: { open: boolean; verdict: GateVerdict }[] = [];
    for (const { number, sha } of concerned) {
      const pull = await store.pull({ repositoryId: repository.id, number });
      if (pull === null || pull.facts.observed === null) {
        const reason = `#${number} is not known yet`;
        verdicts.push({ open: true, verdict: { verdict: "wait", reason, tell: false } });
        continue;
      }
      const { facts, evaluation, policy, permissions } = await evaluator.evaluate(pull, repository);
      const commits = validCommits(facts, policy, permissions);
      const confirmedStage = pull.confirmed?.stage ?? null;
      const input = { environment, sha, pull: { facts, evaluation, policy, confirmedStage, commits } };
      verdicts.push({ open: facts.state === "open", verdict: evaluateGate(input) });
    }
    return combineGateVerdicts(verdicts);
  }

  async #answer(
    gate: WaitingGate,
    verdict: "approved" | "rejected",
    concerned: readonly Concerned[],
    access: RepositoryAccess,
  ): Promise<void> {
    const { store, now } = this.#options;
    const { repository, write, signal } = access;
    const { runId, environment, reason } = gate;
    // From now on GitHub may have taken it, whatever becomes of us.
    const sent: WaitingGate = { ...gate, sent: verdict };
    await store.gates.save(sent);
    try {
      const still = await write(async (client) => {
        // Writing may wait long for its turn: what was heard meanwhile, a hold above all, counts.
        if (verdict === "approved" && (await this.#verdictOn(gate, concerned, repository)).verdict !== verdict) {
          return false;
        }
        await answerGate(client, repository, { runId, environment, verdict, comment: sentence(reason) }, signal);
        return true;
      });
      if (!still) {
        await store.gates.save({ ...gate, nextAt: now() });
        return;
      }
    } catch (error) {
      if (failureOfWork(error, now()).status !== 422) {
        throw error;
      }
      if (gate.sent !== verdict) {
        await this.#over(gate, "nothing waited there for our answer any more");
        return;
      }
    }
    const done: WaitingGate = { ...sent, ...NO_FAILURE, state: verdict, nextAt: null, askAt: null };
    const word = verdict === "approved" ? "may begin" : "was rejected";
    const line = `the job that waited for the environment ${environment} ${word} (run ${runId}): ${reason}`;
    await store.commit({ gates: [done], history: lines(done, line, now()), now: now() });
    const about = { repository: `${repository.owner}/${repository.name}`, by: null, environment, run: runId };
    audit(this.#options.log, verdict === "approved" ? "job.let_in" : "job.rejected", { ...about, pulls: gate.pulls });
  }

  /** Says why it waits, if that is another reason than the last. */
  async #comment(
    gate: WaitingGate,
    verdict: Extract<GateVerdict, { verdict: "wait" }>,
    access: RepositoryAccess,
  ): Promise<void> {
    const { store, now } = this.#options;
    const { repository, write, signal } = access;
    const { runId, environment, comments, said } = gate;
    const text = sentence(verdict.reason);
    if (!verdict.tell || text === said || comments >= MOST_COMMENTS) {
      await store.gates.save({ ...gate, ...NO_FAILURE });
      return;
    }
    // Whom it concerns is known then, even if GitHub takes no comment.
    await store.gates.save(gate);
    try {
      await write((client) =>
        answerGate(client, repository, { runId, environment, verdict: null, comment: text }, signal),
      );
    } catch (error) {
      if (failureOfWork(error, now()).status !== 422) {
        throw error;
      }
      await this.#over(gate, "nothing waits there for our answer");
      return;
    }
    const after: WaitingGate = { ...gate, ...NO_FAILURE, said: text, comments: comments + 1 };
    const history =
      said === "" ? lines(after, `a job waits for the environment ${environment}: ${verdict.reason}`, now()) : [];
    await store.commit({ gates: [after], history, now: now() });
  }

  async #over(gate: WaitingGate, reason: string): Promise<void> {
    await this.#options.store.gates.save({ ...gate, state: "gone", reason, nextAt: null, askAt: null });
  }

  /** Tried again as long as the job waits: GitHub ends that after 30 days. */
  async #failed(before: WaitingGate, { kind, message }: RequestFailure, at: number): Promise<void> {
    const { store, now } = this.#options;
    const all = await store.gates.ofRun(before.repositoryId, before.runId);
    const gate = all.find((each) => each.environment === before.environment);
    if (gate === undefined) {
      return;
    }
    const isKnown = kind === "rate_limit" || kind === "temporary" || gate.error === message;
    const remedy = kind === "permission" ? ". It takes the app's permission deployments: write" : "";
    const line = `the environment ${gate.environment} could not be answered for: ${message}${remedy}`;
    const tries = kind === "rate_limit" ? gate.tries : gate.tries + 1;
    const later: WaitingGate = { ...gate, tries, error: message, nextAt: at };
    await store.commit({ gates: [later], history: isKnown ? [] : lines(later, line, now()), now: now() });
  }
}

function lines(gate: WaitingGate, text: string, now: number): NewHistory[] {
  return gate.pulls.map((number) => noteLine({ repositoryId: gate.repositoryId, number }, "effect", text, now));
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function name({ runId, environment }: WaitingGate, { owner, name: repo }: Repository) {
  return { repository: `${owner}/${repo}`, run: runId, environment };
}

/** The ref in full where it names the default branch: a tag may bear that name, too, so the commit must be on it. */
async function refOf(ref: string, sha: string, { repository, client, signal }: RepositoryAccess): Promise<string> {
  const branch = repository.defaultBranch;
  if (branch === "" || (ref !== branch && ref !== `refs/heads/${branch}`)) {
    return ref;
  }
  return (await isOnBranch(client, repository, { branch, sha }, signal))
    ? `refs/heads/${branch}`
    : `refs/tags/${branch}`;
}
