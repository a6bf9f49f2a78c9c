/**
 * What everybody would know whom every webhook reaches, once, in the order in which it happened. The app, to which they
 * come late, twice, in another order or never, must come to the same.
 */

import { pino } from "pino";
import { type EvaluatedPull, Evaluator } from "../../app/evaluation/evaluator.ts";
import { InstallationPermissions } from "../../app/github-cache/installation-permissions.ts";
import { LabelIds } from "../../app/github-cache/label-ids.ts";
import { PermissionCache } from "../../app/github-cache/permissions.ts";
import type { Policies } from "../../app/policies/policy.ts";
import type { HoldWord, Pull, Store } from "../../app/store/model.ts";
import { WebhookProcessor } from "../../app/webhooks/processing.ts";
import { DEFAULT_TIMINGS } from "../../app/work/timings.ts";
import { Wakeups } from "../../app/work/wakeups.ts";
import { parseExactly } from "../../src/github/exact-json.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { localUses } from "../../src/github/workflows/local-uses.ts";
import type { Delivery } from "../../src/sandbox/world/index.ts";
import { openMemoryStore } from "../app/store/memory.ts";

export interface ShadowOptions {
  readonly now: () => number;
  readonly appId: number;
  /** Answers each question at the first try. */
  readonly client: GitHubClient;
  readonly policies: Policies;
  /** The newest word on a repository; null: there was none. */
  readonly word?: (repositoryId: number) => HoldWord | null;
}

const log = pino({ level: "silent" });

export class Shadow {
  readonly store: Store;
  readonly #processor: WebhookProcessor;
  readonly #evaluator: Evaluator;
  readonly #word: NonNullable<ShadowOptions["word"]>;
  #turn: Promise<unknown> = Promise.resolve();
  #heard = 0;

  private constructor(store: Store, { now, appId, client, policies, word }: ShadowOptions) {
    this.store = store;
    this.#word = word ?? (() => null);
    const clients = { installation: async () => client, app: async () => client };
    const ourselves = () => ({ appId, botLogin: "stagewright[bot]" });
    const { requestTimeout, keepPermissions } = DEFAULT_TIMINGS;
    const permissions = new PermissionCache({ store, log, now, keepMs: keepPermissions });
    this.#processor = new WebhookProcessor({
      store,
      permissions,
      labelIds: new LabelIds({ store, now, requestTimeout }),
      policies,
      installationPermissions: new InstallationPermissions({ store, clients, now, requestTimeout }),
      ourselves,
      log,
      now,
      wakeups: new Wakeups(),
    });
    this.#evaluator = new Evaluator({
      store,
      clients,
      permissions,
      policies,
      ourselves,
      now,
      requestTimeout,
      readUses: () => localUses,
    });
  }

  static async open(options: ShadowOptions): Promise<Shadow> {
    return new Shadow(await openMemoryStore(), options);
  }

  hear(delivery: Delivery): void {
    const { guid: id, event, request } = delivery;
    const content = parseExactly(request.body);
    this.#heard += 1;
    const told = {
      id,
      event,
      payload: request.body,
      key: "",
      installationId: null,
      receivedAt: 0,
      seq: this.#heard,
      nextAt: 0,
    };
    this.#turn = this.#turn.then(() =>
      this.#processor.handle({ ...told, status: "pending", tries: 0, error: null }, content),
    );
  }

  /** `row`: as the app has it; what it has shown so far counts for what it is to show. */
  async judge(row: Pull): Promise<EvaluatedPull | null> {
    await this.#turn;
    const own = await this.store.pull(row);
    const repository = await this.store.repository(row.repositoryId);
    const word = this.#word(row.repositoryId);
    if (word !== null) {
      await this.store.holds.put(word);
    }
    return own === null || repository === null
      ? null
      : await this.#evaluator.evaluate({ ...own, confirmed: row.confirmed, blocked: row.blocked }, repository);
  }
}
