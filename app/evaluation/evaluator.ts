/** Where a pull request is and what it is to show: the pure evaluation, with what it asks to know looked up. */

import { type PermissionLookup, readFiles } from "../../src/github/permissions.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { readSnapshot } from "../../src/github/pulls/snapshot.ts";
import { evaluate } from "../../src/lifecycle/evaluation/evaluate.ts";
import type { Evaluation, Hold } from "../../src/lifecycle/evaluation/evaluation.ts";
import { type Tampering, tamperingOf } from "../../src/lifecycle/evaluation/tampering.ts";
import { type Facts, type Lookup, NO_PERMISSIONS, type Permissions } from "../../src/lifecycle/facts/facts.ts";
import { record } from "../../src/lifecycle/facts/record.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import { desiredDisplay, stageOfLabel } from "../../src/lifecycle/presentation/display.ts";
import type { Clients, Ourselves } from "../github-cache/clients.ts";
import type { PermissionAnswers, PermissionCache } from "../github-cache/permissions.ts";
import type { Policies } from "../policies/policy.ts";
import type { Pull, Repository, Store } from "../store/model.ts";
import { evaluationBasis } from "./basis.ts";
import { type DesiredState, desiredStateOf } from "./desired-state.ts";
import type { RepositoryRules } from "./repository-rules.ts";
import { RunOrigins, type RunOriginsOptions } from "./run-origins.ts";
import { type Sharer, type Sharing, sharingOf } from "./shared-commits.ts";
import { Timelines } from "./timelines.ts";

/** Each round of lookups may lead to further ones; more than this are the next evaluation's. */
const MOST_ROUNDS = 6;

/** Pull requests with one head commit that are taken notice of. */
const MOST_SHARERS = 50;

export interface EvaluatorOptions {
  readonly store: Pick<Store, "pulls" | "holds" | "starts">;
  readonly clients: Clients;
  readonly permissions: PermissionCache;
  readonly policies: Policies;
  readonly ourselves: () => Ourselves;
  readonly now: () => number;
  readonly requestTimeout: number;
  readonly readUses: RunOriginsOptions["readUses"];
}

export interface EvaluatedPull {
  /** With what was looked up. */
  readonly facts: Facts;
  readonly policy: Policy;
  readonly permissions: Permissions;
  readonly evaluation: Evaluation;
  /** Stage labels that others set or took off. */
  readonly tampering: Tampering;
  /** Null: it is to be left as it is. */
  readonly desired: DesiredState | null;
}

type BeforeDesired = Omit<EvaluatedPull, "desired" | "tampering">;

/** The pull request has been set aside: the process died while it was evaluated. */
export class SetAside extends Error {
  override readonly name = "SetAside";
}

export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #runOrigins: RunOrigins;
  readonly #timelines: Timelines;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
    this.#runOrigins = new RunOrigins(options);
    this.#timelines = new Timelines(options);
  }

  /**
   * Throws what GitHub's client throws when something that must be known cannot be asked: then nothing is decided.
   * `rules`: those of its repository, read after the pull request; default: they are read now.
   */
  async evaluate(
    pull: Pull,
    repository: Repository,
    rules?: Pick<RepositoryRules, "policy" | "hold" | "answers">,
  ): Promise<EvaluatedPull> {
    const { store, policies, ourselves } = this.#options;
    const { appId } = ourselves();
    if (pull.blocked?.setAside === true) {
      throw new SetAside(`Pull request ${pull.number} is set aside: ${pull.blocked.reason}`);
    }
    const policy = rules?.policy ?? (await policies.of(repository));
    const repositoryHold = rules === undefined ? await store.holds.of(repository.id) : rules.hold;
    const client = (): Promise<GitHubClient> => this.#client(repository);
    let { facts } = pull;
    // What was first heard of it is not that it was opened: there is a past that only GitHub knows.
    const past = pull.evaluation === null && !facts.acts.some((act) => act.kind === "opened");
    if (facts.observed === null || past) {
      facts = await this.#takeUp(facts, repository, await client());
    }
    const answers = rules?.answers ?? new Map();
    let permissions = NO_PERMISSIONS;
    /** Once: what GitHub does not show yet it shows a little later. */
    let listed = false;
    let evaluation = evaluate({ facts, policy, permissions, ourAppId: appId, repositoryHold });
    const isDue = (lookup: Lookup): boolean => this.#timelines.isDue(lookup);
    for (let round = 0; evaluation.lookups.some(isDue) && round < MOST_ROUNDS; round += 1) {
      if (evaluation.lookups.some((lookup) => lookup.kind === "files")) {
        facts = await this.#learnFiles(facts, repository, await client());
      }
      if (!listed && evaluation.lookups.some((lookup) => lookup.kind === "suites")) {
        facts = await this.#takeUp(facts, repository, await client());
        listed = true;
      }
      facts = await this.#runOrigins.learn(facts, evaluation.lookups, repository, client);
      facts = await this.#timelines.learn(facts, evaluation.lookups, client);
      permissions = await this.learn(permissions, evaluation.lookups, repository, answers);
      evaluation = evaluate({ facts, policy, permissions, ourAppId: appId, repositoryHold });
    }
    const learnt = await this.#tampering({ facts, policy, permissions, evaluation }, repository, answers);
    const { tampering } = learnt;
    permissions = learnt.permissions;
    const after = this.#afterRemoval({ facts, policy, permissions, evaluation }, repositoryHold);
    const sharing = await this.#sharing({ number: pull.number, facts, evaluation: after }, repository, policy);
    const { stop } = tampering;
    const decided = desiredStateOf({ facts, evaluation, after, policy, shown: pull.confirmed, sharing, stop });
    const basis = evaluationBasis(
      { facts, policy, permissions, hold: repositoryHold, sharing, stop },
      ourselves().botLogin,
    );
    const desired = decided === null ? null : { ...decided, basis };
    return { facts, policy, permissions, evaluation, tampering, desired };
  }

  /** `permissions` with the answers to what was asked about people. Throws as `evaluate` does. */
  async learn(
    permissions: Permissions,
    lookups: readonly Lookup[],
    repository: Repository,
    answers?: PermissionAnswers,
  ): Promise<Permissions> {
    const asked = lookups.filter(isPermissionLookup);
    return await this.#options.permissions.learn(
      permissions,
      asked,
      repository,
      () => this.#client(repository),
      this.#signal(),
      answers,
    );
  }

  async #tampering(
    { permissions: before, ...evaluated }: BeforeDesired,
    repository: Repository,
    answers: PermissionAnswers,
  ): Promise<Pick<EvaluatedPull, "permissions" | "tampering">> {
    const { ourselves, now } = this.#options;
    let permissions = before;
    for (let round = 0; ; round += 1) {
      const tampering = tamperingOf({ ...evaluated, permissions, botLogin: ourselves().botLogin, now: now() });
      if (tampering.lookups.length === 0 || round === MOST_ROUNDS) {
        return { permissions, tampering };
      }
      permissions = await this.learn(permissions, tampering.lookups, repository, answers);
    }
  }

  async #client({ installationId, owner, name }: Repository): Promise<GitHubClient> {
    if (installationId === null) {
      throw new Error(`The app is not installed on ${owner}/${name}.`);
    }
    return await this.#options.clients.installation(installationId);
  }

  /**
   * The evaluation as it will be once the labels that a reset made void are gone. It leads to the same stage, and its
   * words stay true when they are, so that nothing has to be written a second time.
   */
  #afterRemoval({ facts, policy, permissions, evaluation }: BeforeDesired, repositoryHold: Hold | null): Evaluation {
    const gone =
      desiredDisplay({ evaluation, policy, facts })?.removeLabels.filter((name) => stageOfLabel(name) === null) ?? [];
    if (gone.length === 0) {
      return evaluation;
    }
    const labels = facts.labels.filter((name) => !gone.includes(name));
    const after = evaluate({
      facts: { ...facts, labels },
      policy,
      permissions,
      ourAppId: this.#options.ourselves().appId,
      repositoryHold,
    });
    return after.stage === evaluation.stage && after.inactive === evaluation.inactive ? after : evaluation;
  }

  /** Other pull requests with this head commit, as they were evaluated last: when that changes, this one is evaluated again. */
  async #sharing(self: Sharer, repository: Repository, policy: Policy): Promise<Sharing | null> {
    const { sha } = self.facts.head;
    const rows = await this.#options.store.pulls(
      { repositoryId: repository.id, headSha: sha, open: true },
      MOST_SHARERS,
    );
    const others = rows.flatMap(({ number, facts, evaluation }) =>
      number === self.number || evaluation === null ? [] : [{ number, facts, evaluation }],
    );
    return others.length === 0 ? null : sharingOf([self, ...others], policy);
  }

  /** With what GitHub shows now: it was there before we were, or events do not tell all that matters. */
  async #takeUp(facts: Facts, repository: Repository, client: GitHubClient): Promise<Facts> {
    const snapshot = await readSnapshot(
      client,
      repository,
      facts.number,
      this.#options.ourselves().appId,
      this.#signal(),
    );
    return snapshot === null
      ? facts
      : record(facts, {
          ...snapshot,
          pull: { installationId: facts.installationId, repository: snapshot.state.repository, number: facts.number },
        });
  }

  async #learnFiles(facts: Facts, repository: Repository, client: GitHubClient): Promise<Facts> {
    const { installationId, number, head, base } = facts;
    const files = await readFiles(client, repository, number, this.#signal());
    return record(facts, {
      kind: "files",
      pull: { installationId, repository: facts.repository, number },
      sha: head.sha,
      baseRef: base.ref,
      files,
    });
  }

  #signal(): AbortSignal {
    return AbortSignal.timeout(this.#options.requestTimeout);
  }
}

function isPermissionLookup(lookup: Lookup): lookup is PermissionLookup {
  return lookup.kind !== "files" && lookup.kind !== "run" && lookup.kind !== "timeline" && lookup.kind !== "suites";
}
