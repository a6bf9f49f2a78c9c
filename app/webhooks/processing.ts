/**
 * Deliveries become facts. No request is made here (but for the policy that says which comments are answered, where that
 * is not known), so handling does not fail for GitHub's sake; what follows from the facts is decided by whoever looks at
 * the pull request next.
 */
import { LRUCache } from "lru-cache";
import type { Logger } from "pino";
import { parseExactly } from "../../src/github/exact-json.ts";
import type { CommentSeen } from "../../src/github/pulls/snapshot-acts.ts";
import {
  lifecycleRepository,
  type RepositorySeen,
  readWebhook,
  type WebhookEvent,
} from "../../src/github/webhooks/webhook.ts";
import { commandsToAnswer, type ParsedCommand, readCommands } from "../../src/lifecycle/commands.ts";
import type { Change } from "../../src/lifecycle/facts/change.ts";
import type { Act } from "../../src/lifecycle/facts/facts.ts";
import { record } from "../../src/lifecycle/facts/record.ts";
import { sameFacts } from "../../src/lifecycle/facts/same-facts.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/policy/default-policy.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import { commandAct, sayEqual } from "../commands/acts.ts";
import { answerTo } from "../commands/answer.ts";
import { buttonEffect } from "../commands/button.ts";
import { newEffect } from "../effects/effect.ts";
import { dequeuedEffect } from "../effects/handlers/dequeued.ts";
import { meansTheSame } from "../evaluation/same-meaning.ts";
import type { Ourselves } from "../github-cache/clients.ts";
import type { InstallationPermissions } from "../github-cache/installation-permissions.ts";
import type { LabelIds } from "../github-cache/label-ids.ts";
import type { PermissionCache } from "../github-cache/permissions.ts";
import { type Policies, PolicyUnreadable } from "../policies/policy.ts";
import { watchFrom } from "../reconciliation/installed-since.ts";
import { changePull, newPull, readAgain, sooner } from "../store/change-pull.ts";
import type { Delivery, NewEffect, Pull, PullId, Repository, Store } from "../store/model.ts";
import type { Wakeups } from "../work/wakeups.ts";
import { contentOf } from "./replays.ts";

export interface ListenerOptions {
  readonly store: Store;
  readonly permissions: PermissionCache;
  readonly labelIds: LabelIds;
  readonly policies: Policies;
  readonly installationPermissions: InstallationPermissions;
  readonly ourselves: () => Ourselves;
  readonly log: Logger;
  readonly now: () => number;
  readonly wakeups: Wakeups;
}

interface Heard {
  readonly delivery: Pick<Delivery, "id" | "event" | "seq" | "receivedAt" | "payload">;
  readonly repository: Repository;
  /** Somebody else's doing, as far as we can tell. */
  readonly foreign: boolean;
}

/** In the place of a delivery: nothing was delivered. */
const FOUND = { id: "found by the sweep", event: "issue_comment", seq: 0, receivedAt: 0, payload: "" } as const;
/** What is older was answered when it was written, or is of no interest any more. */
const OLDEST_ANSWERED = 3 * 24 * 60 * 60_000;

/** Commits that no pull request is known to have as its head. */
const MOST_EARLY = 2_000;

function earlyKey({ id }: Repository, sha: string): string {
  return `${id} ${sha}`;
}

export class Listener {
  readonly #options: ListenerOptions;
  /** Checks and runs that were told before the push of their commit. What a restart forgets, the sweep reads. */
  readonly #early = new LRUCache<string, readonly Extract<WebhookEvent, { kind: "commit" }>[]>({ max: MOST_EARLY });

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /**
   * Returns false: the delivery is to be marked as done (or the same news handled again, which changes nothing).
   * `content`: its payload, if it has been parsed already.
   */
  async handle(delivery: Delivery, content?: unknown): Promise<boolean> {
    const { ourselves, log, wakeups } = this.#options;
    const payload: unknown = content ?? parseExactly(delivery.payload);
    const heard = readWebhook(delivery.event, payload, ourselves());
    const repository = heard.repository === null ? null : await this.#seen(heard.repository, heard.installationId);
    const key = repository === null ? {} : { repository: `${repository.owner}/${repository.name}` };
    const sender = heard.sender;
    const foreign = sender === null || sender.kind !== "bot" || sender.login !== ourselves().botLogin;
    log.debug(
      { delivery: delivery.id, event: delivery.event, news: heard.events.map((each) => each.kind), ...key },
      "heard",
    );
    for (const news of heard.events) {
      if (news.kind === "installed") {
        await this.#installed(heard.installationId, news.repositories, news.since ?? delivery.receivedAt);
      } else if (news.kind === "granted") {
        await this.#granted(heard.installationId);
      } else if (news.kind === "uninstalled") {
        await this.#uninstalled(heard.installationId, news.repositoryIds);
      } else if (news.kind === "permissions" && repository === null) {
        await this.#forgetOrganization(heard.organizationLogin, heard.installationId, news.named);
      } else if (repository !== null) {
        await this.#take(news, { delivery, repository, foreign });
      }
    }
    // What we did ourselves wakes nobody, unless it was recorded as news.
    if (heard.events.some(({ kind }) => foreign || (kind !== "pull" && kind !== "commit"))) {
      wakeups.notify("pulls");
    }
    return false;
  }

  async #take(
    news: Exclude<WebhookEvent, { kind: "installed" | "granted" | "uninstalled" }>,
    heard: Heard,
  ): Promise<void> {
    const { store, labelIds, policies, now, wakeups } = this.#options;
    const { repository } = heard;
    switch (news.kind) {
      case "pull":
        await labelIds.note(repository.id, news.labels);
        await this.#record(news.change, heard, news.stageLabels && heard.foreign);
        break;
      case "commit":
        await this.#commit(news, heard);
        break;
      case "comment":
        await this.#comment(news, heard);
        break;
      case "dequeued":
        await this.#dequeued(news, heard);
        break;
      case "merge_group":
        await this.#mergeGroup(news, heard);
        break;
      case "labels":
        if (heard.foreign) {
          await labelIds.forget(repository.id);
        }
        if (news.onPulls) {
          this.#options.wakeups.notify("sweeps", repository.id);
        }
        break;
      case "default_branch":
        if (await policies.mayHaveChanged(repository)) {
          await store.requestReevaluation({ repositoryId: repository.id, open: true }, now());
        }
        break;
      case "permissions":
        if (news.of === "organization") {
          await this.#forgetOrganization(repository.owner, repository.installationId, null);
        }
        await this.#forgetRepository(repository, news.named);
        break;
      case "run":
        await store.starts.wakeRun(repository.id, news.runId, now());
        await store.gates.wakeRun(repository.id, news.runId, now());
        wakeups.notify("workflow-runs");
        wakeups.notify("deployment-gates");
        break;
      case "gate":
        await store.gates.asked({ ...news, repositoryId: repository.id }, now());
        wakeups.notify("deployment-gates");
        break;
      case "repository_gone":
        await store.putRepository({ ...repository, installationId: null });
        break;
    }
  }

  async #commit(news: Extract<WebhookEvent, { kind: "commit" }>, heard: Heard): Promise<void> {
    const { store } = this.#options;
    const { repository } = heard;
    const heads = async (): Promise<readonly number[]> =>
      (await store.pullIds({ repositoryId: repository.id, headSha: news.sha })).map((each) => each.number);
    const numbers = new Set([...(await heads()), ...news.pulls]);
    if (numbers.size === 0) {
      // Of a commit that is no head, or whose push is still on its way to us: it may be recorded this very moment.
      const key = earlyKey(repository, news.sha);
      this.#early.set(key, [...(this.#early.get(key) ?? []), news]);
      for (const number of await heads()) {
        numbers.add(number);
      }
    }
    for (const number of numbers) {
      const pull = this.#key(repository, number);
      const { what } = news;
      switch (what.kind) {
        case "checks":
          await this.#record({ pull, kind: "checks", checks: what.checks, suites: what.suites }, heard, false);
          break;
        case "acts":
          // A run that we started is about the pull request that it was started for, not about its own commit.
          if (what.dispatched && what.acts.every((each) => each.by.login === this.#options.ourselves().botLogin)) {
            break;
          }
          await this.#record({ pull, kind: "acts", acts: what.acts }, heard, false);
          break;
        case "pressed":
          if (what.pull !== null && what.pull !== number) {
            break;
          }
          await this.#queue(heard, (installationId) => [
            buttonEffect({ repositoryId: repository.id, number }, installationId, what, heard.delivery),
          ]);
          break;
      }
    }
  }

  /** What the app itself took out is told of by what took it out. */
  async #dequeued({ number, reason, by }: WebhookEvent & { kind: "dequeued" }, heard: Heard): Promise<void> {
    if (reason === "MANUAL" && !heard.foreign) {
      return;
    }
    const id: PullId = { repositoryId: heard.repository.id, number };
    const about = { reason, by: by.login, occasion: contentOf(heard.delivery) };
    await this.#queue(heard, (installationId) => [dequeuedEffect(id, installationId, about, this.#options.now())]);
  }

  /** What is shown on the group's commit is decided when all of its pull requests have been looked at. */
  async #mergeGroup({ number, headSha, branch }: WebhookEvent & { kind: "merge_group" }, heard: Heard): Promise<void> {
    const { store, now, wakeups } = this.#options;
    const { repository } = heard;
    const { installationId } = repository;
    if (installationId === null) {
      return;
    }
    const id: PullId = { repositoryId: repository.id, number };
    // Of one that is not known yet this is the first that is heard.
    await this.#record({ pull: this.#key(repository, number), kind: "acts", acts: [] }, heard, false);
    const at = now();
    const about = { installationId, occasion: { of: "merge group", headSha }, at } as const;
    await store.commit({ effects: [newEffect("merge_group", id, about, { headSha, branch, at })], now: at });
    wakeups.notify("effects");
  }

  /** Comments that were found without an event; those that are known already change nothing. */
  async comments(repository: Repository, number: number, comments: readonly CommentSeen[]): Promise<void> {
    for (const comment of comments) {
      await this.#comment({ kind: "comment", number, comment }, { delivery: FOUND, repository, foreign: true });
    }
    this.#options.wakeups.notify("pulls");
  }

  /** What its commands do follows from their being recorded; the answer is an effect. Our own hold none. */
  async #comment({ comment, number }: Extract<WebhookEvent, { kind: "comment" }>, heard: Heard): Promise<void> {
    const { store, ourselves, now } = this.#options;
    const { repository } = heard;
    if (comment.by.kind === "bot" && comment.by.login === ourselves().botLogin) {
      return;
    }
    const asked = readCommands(comment.body);
    if (asked.commands.length === 0) {
      return;
    }
    const edited = comment.before !== null;
    const id: PullId = { repositoryId: repository.id, number };
    const row = await store.pull(id);
    const actOf = (command: ParsedCommand): Act | null => (edited ? null : commandAct(command, comment, row));
    // Whatever the policy waits for now: what counts is what it waits for when the pull request is judged. Of one that
    // is not known yet this is the first that is heard.
    const acts = asked.commands.flatMap((command) => actOf(command) ?? []);
    await this.#record({ pull: this.#key(repository, number), kind: "acts", acts }, heard, false);
    const policy = await this.#policy(repository);
    const answered = commandsToAnswer(asked, policy);
    const unchanged = edited && sayEqual(answered, commandsToAnswer(readCommands(comment.before ?? ""), policy));
    if (answered.length > 0 && !unchanged && comment.at > now() - OLDEST_ANSWERED) {
      const seen = answered.map((command) => ({ command, act: actOf(command) }));
      await this.#queue(heard, (installationId) => [answerTo(id, installationId, { ...comment, edited }, seen, now())]);
    }
  }

  /** What is known by its key already is not done again. */
  async #queue({ repository }: Heard, effects: (installationId: number) => NewEffect[]): Promise<void> {
    const { store, now, wakeups } = this.#options;
    if (repository.installationId !== null) {
      await store.commit({ effects: effects(repository.installationId), now: now() });
      wakeups.notify("effects");
    }
  }

  /**
   * For what it waits for: where it cannot be used, nothing. The one that is known will do: it is read anew beside, and
   * GitHub may take its time.
   */
  async #policy(repository: Repository): Promise<Policy> {
    const { policies } = this.#options;
    try {
      return (await policies.known(repository)) ?? (await policies.of(repository));
    } catch (error) {
      if (error instanceof PolicyUnreadable || repository.installationId === null) {
        return DEFAULT_POLICY;
      }
      throw error;
    }
  }

  /** `stageLabels`: somebody changed labels that only we set; what is on it is read again, whatever we knew. */
  async #record(change: Change, { repository, delivery, foreign }: Heard, stageLabels: boolean): Promise<void> {
    const { store, now, log, ourselves, wakeups } = this.#options;
    const id: PullId = { repositoryId: change.pull.repository.id, number: change.pull.number };
    const written = await changePull(store, id, now, (row) => {
      const installationId = repository.installationId ?? row?.installationId ?? null;
      const pull = { ...change.pull, installationId: installationId ?? 0 };
      const facts = record(row?.facts ?? null, { ...change, pull });
      if (row !== null && !stageLabels && sameFacts(facts, row.facts) && row.installationId === installationId) {
        return null;
      }
      const before = row ?? newPull(id, facts, installationId);
      const at = now();
      const ours = row !== null && !foreign && meansTheSame(facts, row.facts, ourselves());
      const news = ours ? {} : { reevaluateAt: sooner(before.reevaluateAt, at), reevaluationTries: 0 };
      const next: Pull = { ...before, installationId, facts, ...news };
      return { pull: stageLabels ? readAgain(next, at) : next };
    });
    if (written !== null && written.reevaluateAt !== null && !foreign) {
      wakeups.notify("pulls");
    }
    log.info(
      {
        repository: `${repository.owner}/${repository.name}`,
        pull: id.number,
        delivery: delivery.id,
        event: delivery.event,
        change: change.kind,
        news: written !== null,
      },
      "recorded",
    );
    const key = earlyKey(repository, written?.facts.head.sha ?? "");
    const early = this.#early.get(key) ?? [];
    this.#early.delete(key);
    for (const each of early) {
      await this.#commit(each, { repository, delivery, foreign: true });
    }
  }

  #key(repository: Repository, number: number) {
    const seen = { ...repository, defaultBranch: repository.defaultBranch };
    return { installationId: repository.installationId ?? 0, repository: lifecycleRepository(seen), number };
  }

  /** Remembers the repository as this payload shows it. */
  async #seen(seen: RepositorySeen, installationId: number | null): Promise<Repository> {
    const { store, policies } = this.#options;
    const before = await store.repository(seen.id);
    const now: Repository = {
      id: seen.id,
      nodeId: seen.nodeId === "" ? (before?.nodeId ?? "") : seen.nodeId,
      installationId: installationOf(before, seen, installationId),
      owner: seen.owner,
      name: seen.name,
      defaultBranch: seen.defaultBranch ?? before?.defaultBranch ?? "",
      private: seen.private,
    };
    if (before === null || JSON.stringify(before) !== JSON.stringify(now)) {
      await store.putRepository(now);
    }
    const moved = before !== null && (before.owner !== now.owner || before.name !== now.name);
    const other = before !== null && before.defaultBranch !== "" && before.defaultBranch !== now.defaultBranch;
    if (moved || other) {
      await policies.mayHaveChanged(now);
    }
    return now;
  }

  async #installed(
    installationId: number | null,
    repositories: readonly RepositorySeen[],
    since: number,
  ): Promise<void> {
    const { store, log, now, wakeups, policies, installationPermissions } = this.#options;
    if (installationId !== null) {
      await installationPermissions.forget(installationId);
    }
    for (const each of repositories) {
      const before = await store.repository(each.id);
      const repository = await this.#seen(each, installationId);
      if (before === null || before.installationId === null) {
        await watchFrom(store, repository.id, since);
        await policies.mayHaveChanged(repository);
      }
      if ((await store.requestReevaluation({ repositoryId: repository.id, open: true }, now())) > 0) {
        // What happened while the app was away is nowhere but on GitHub.
        wakeups.notify("sweeps", repository.id);
      }
    }
    // What waited for another installation of the same repositories goes out through this one.
    wakeups.notify("effects");
    log.info({ installation: installationId, repositories: repositories.length }, "installed");
  }

  /** The app may do more or less than before: what the policies lack is said anew. */
  async #granted(installationId: number | null): Promise<void> {
    const { store, installationPermissions, policies } = this.#options;
    if (installationId === null) {
      return;
    }
    await installationPermissions.forget(installationId);
    for (const repository of await store.repositories(installationId)) {
      await policies.mayHaveChanged(repository);
    }
  }

  /** Facts are kept: the app may come back. Nothing is sent meanwhile. */
  async #uninstalled(installationId: number | null, repositoryIds: readonly number[] | null): Promise<void> {
    const { store, log } = this.#options;
    if (installationId === null) {
      return;
    }
    const all = await store.repositories(installationId);
    const gone = all.filter((each) => repositoryIds === null || repositoryIds.includes(each.id));
    for (const repository of gone) {
      await store.putRepository({ ...repository, installationId: null });
    }
    log.info({ installation: installationId, repositories: gone.length }, "uninstalled");
  }

  async #forgetOrganization(login: string | null, installationId: number | null, named: string | null): Promise<void> {
    const { store, permissions } = this.#options;
    if (login !== null) {
      await permissions.forgetOrganization(login);
    }
    // Teams give permissions on repositories, too.
    for (const repository of installationId === null ? [] : await store.repositories(installationId)) {
      await this.#forgetRepository(repository, named);
    }
  }

  /** What rests on people is looked at again: a gate that is open may have to close. */
  async #forgetRepository(repository: Repository, named: string | null): Promise<void> {
    const { store, permissions, policies, now } = this.#options;
    await permissions.forgetRepository(repository.id);
    await store.requestReevaluation({ repositoryId: repository.id, open: true, people: true }, now());
    if (named !== null) {
      await policies.namedMayHaveChanged(repository, named);
    }
  }
}

/**
 * GitHub counts installations up: of one owner's, a lower one was removed before, and what tells of it was on its way
 * meanwhile. Null: no token can be had for the repository.
 */
function installationOf(before: Repository | null, seen: RepositorySeen, told: number | null): number | null {
  const known = before?.installationId ?? null;
  if (known === null || told === null) return told ?? known;
  return before?.owner === seen.owner ? Math.max(known, told) : told;
}
