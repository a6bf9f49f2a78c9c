/** Says in a check run which policy is in force, what is wrong with the file, and what it needs and lacks. */
import { createHash } from "node:crypto";
import { publishCheck } from "../../src/github/checks/checks.ts";
import { readGuard } from "../../src/github/installation.ts";
import type { Loaded } from "../../src/github/policy-files/load-policy.ts";
import { readNamedAccount } from "../../src/github/policy-files/named-accounts.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { type AccountState, namesOf } from "../../src/lifecycle/policy/named-accounts.ts";
import { POLICY_CHECK_NAME, policyCheckOutput } from "../../src/lifecycle/policy/policy-check.ts";
import { POLICY_PATH } from "../../src/lifecycle/policy/read-policy.ts";
import {
  environmentsOf,
  type MissingRequirement,
  missingRequirements,
  type RepositorySetup,
} from "../../src/lifecycle/policy/requirements.ts";
import { canonicalJson } from "../../src/plan/canonical.ts";
import { checkAnnotation, problemAnnotations } from "../../src/report/annotations.ts";
import type { InstallationPermissions } from "../github-cache/installation-permissions.ts";
import type { PolicyState, Repository } from "../store/model.ts";
import { sleepUnlessAborted } from "../work/pause.ts";
import type { Runtime } from "../work/runtime.ts";

export interface ShowOptions extends Runtime {
  readonly installationPermissions: InstallationPermissions;
  readonly appId: number;
}

/** Tries within this time; then it is put off as a whole. */
const LONGEST_MS = 60_000;

export class PolicyCheck {
  readonly #options: ShowOptions;

  constructor(options: ShowOptions) {
    this.#options = options;
  }

  /** Resolves with what is shown now. Throws what the client throws when GitHub cannot be asked or told. */
  async show(repository: Repository, state: PolicyState): Promise<PolicyState["shown"]> {
    const { log, appId } = this.#options;
    const names = { repository: `${repository.owner}/${repository.name}`, commit: state.head };
    const broken = state.problems.some((problem) => problem.severity === "error");
    const found = state.source !== null;
    const missing = broken || !found ? [] : await this.#lacks(repository, state);
    for (const lack of missing) {
      log.warn({ ...names, lack: lack.kind }, lack.text);
    }
    for (const { line, column, message } of broken ? state.problems : []) {
      log.error({ ...names, line, column }, `the policy has an error: ${message}`);
    }
    const { problems, inForce } = state;
    const verdict = policyCheckOutput({ file: POLICY_PATH, found, problems, missing, inForce, proposed: false });
    const digest = digestOf({ file: fileOf(state.source), problems, ...verdict });
    const good = verdict.conclusion === "success";
    // Where nothing was ever wrong, a repository without a policy needs no check run to say so.
    if (state.head === null || digest === state.shown?.digest || (!found && (state.shown?.good ?? true))) {
      return state.head === null || found ? state.shown : null;
    }
    const annotations = problemAnnotations(problems, "policy").map(checkAnnotation);
    const text = { title: verdict.title, summary: verdict.summary, text: null };
    const check = { conclusion: verdict.conclusion, text, annotations, appId, digest };
    await this.#publish(repository, state.head, check);
    log.info({ ...names, conclusion: verdict.conclusion, title: verdict.title }, "policy shown");
    return { digest, good };
  }

  /** Says on the head commit of a pull request what came of reading the file there. Throws as `show` does. */
  async showProposed(repository: Repository, headSha: string, loaded: Loaded): Promise<void> {
    const { log, appId } = this.#options;
    const { policy, problems, source, seen } = loaded;
    const found = source !== null;
    const lacks =
      policy === null || !found
        ? []
        : await this.#lacks(repository, { ...seen, ...seen.repository, inForce: policy }, false);
    const verdict = policyCheckOutput({
      file: POLICY_PATH,
      found,
      problems,
      missing: lacks,
      inForce: policy,
      proposed: true,
    });
    const digest = digestOf({ file: fileOf(source), problems, proposed: true, ...verdict });
    const annotations = problemAnnotations(problems, "policy").map(checkAnnotation);
    const text = { title: verdict.title, summary: verdict.summary, text: null };
    const check = { conclusion: verdict.conclusion, text, annotations, appId, digest };
    await this.#publish(repository, headSha, check);
    const names = { repository: `${repository.owner}/${repository.name}`, commit: headSha };
    log.info({ ...names, conclusion: verdict.conclusion, title: verdict.title }, "proposed policy shown");
  }

  /** `teams`: whether it may be told which there are: not to everybody who can propose a policy. */
  async #lacks(
    repository: Repository,
    state: Pick<PolicyState, "inForce" | "private" | "branch" | "reviewsRequired">,
    teams = true,
  ): Promise<readonly MissingRequirement[]> {
    const { installationPermissions, appId, timings } = this.#options;
    const { inForce } = state;
    if (inForce === null || repository.installationId === null) {
      return [];
    }
    const client = await this.#client(repository.installationId);
    const environments: Record<string, RepositorySetup["environments"][string]> = {};
    for (const name of environmentsOf(inForce)) {
      environments[name] = await readGuard(
        client,
        repository,
        name,
        appId,
        AbortSignal.timeout(timings.requestTimeout),
      );
    }
    const granted = await installationPermissions.of(repository.installationId);
    const names: Record<string, AccountState> = {};
    for (const name of namesOf(inForce)) {
      // Where the app may not ask about teams at all, that is said instead.
      if (!name.startsWith("@") || (teams && granted.permissions.members !== undefined)) {
        const signal = AbortSignal.timeout(timings.requestTimeout);
        names[name] = await readNamedAccount(client, { ...repository, private: state.private }, name, signal);
      }
    }
    return missingRequirements(inForce, {
      granted,
      names,
      environments,
      private: state.private,
      branch: state.branch,
      reviewsRequired: state.reviewsRequired,
    });
  }

  async #publish(
    repository: Repository,
    headSha: string,
    {
      digest,
      ...check
    }: Omit<Parameters<typeof publishCheck>[1], "owner" | "repo" | "headSha" | "name" | "externalId" | "detailsUrl"> & {
      readonly digest: string;
    },
  ): Promise<void> {
    const { now, log } = this.#options;
    if (repository.installationId === null) {
      return;
    }
    const client = await this.#client(repository.installationId);
    const target = {
      owner: repository.owner,
      repo: repository.name,
      headSha,
      name: POLICY_CHECK_NAME,
      externalId: `policy ${digest}`,
      detailsUrl: null,
    };
    const pace = { now, sleep: sleepUnlessAborted };
    const failure = await publishCheck(client, { ...target, ...check }, pace, AbortSignal.timeout(LONGEST_MS));
    if (failure === null) {
      return;
    }
    if (failure.kind === "permission" || failure.kind === "rejected") {
      // Trying again is no use: the log is the only place left to say it.
      const names = { repository: `${repository.owner}/${repository.name}`, commit: headSha };
      log.error({ ...names, reason: failure.message, title: check.text.title }, "the policy's check run was refused");
      return;
    }
    throw new Error(`The policy's check run could not be written: ${failure.message}`);
  }

  /** What it writes takes its turn with the installation's other writes. */
  async #client(installationId: number): Promise<GitHubClient> {
    const { clients, writers } = this.#options;
    return writers.of(installationId).client(await clients.installation(installationId));
  }
}

/**
 * The file's own hash. Those of what it extends follow, which not everybody may read: a check run that is another by
 * them would tell that there is something, and when it changes.
 */
function fileOf(source: string | null): string | null {
  return source?.split(" ", 1)[0] ?? null;
}

function digestOf(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("base64url");
}
