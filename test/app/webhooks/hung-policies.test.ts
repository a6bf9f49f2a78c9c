/** A comment is handled by the policy that is known: GitHub may take its time to tell of another. */
import { createRequire } from "node:module";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { InstallationPermissions } from "../../../app/github-cache/installation-permissions.ts";
import { LabelIds } from "../../../app/github-cache/label-ids.ts";
import { PermissionCache } from "../../../app/github-cache/permissions.ts";
import type { Policies } from "../../../app/policies/policy.ts";
import type { Store } from "../../../app/store/model.ts";
import { WebhookProcessor } from "../../../app/webhooks/processing.ts";
import { Wakeups } from "../../../app/work/wakeups.ts";
import { DEFAULT_POLICY } from "../../../src/lifecycle/policy/default-policy.ts";
import { openMemoryStore } from "../store/memory.ts";

let store: Store;
beforeEach(async () => {
  store = await openMemoryStore();
});
afterEach(() => store.close());

function comment(body: string) {
  const examples: { name: string; examples: { action?: string; issue?: unknown }[] }[] = createRequire(import.meta.url)(
    "@octokit/webhooks-examples",
  );
  const created = examples
    .find(({ name }) => name === "issue_comment")
    ?.examples.find(({ action }) => action === "created");
  const payload = JSON.parse(JSON.stringify(created));
  payload.installation = { id: 1, node_id: "I" };
  payload.issue.pull_request = { url: "https://api.github.com/repos/o/r/pulls/1" };
  payload.comment.body = body;
  payload.comment.created_at = payload.comment.updated_at = new Date().toISOString();
  return payload;
}

it("a command is recorded and its answer queued while the policy is being read and nobody answers", async () => {
  const policies: Policies = {
    of: () => new Promise(() => {}),
    known: async () => DEFAULT_POLICY,
    mayHaveChanged: async () => false,
    namedMayHaveChanged: async () => undefined,
  };
  const now = Date.now;
  const nobody = { installation: () => new Promise<never>(() => {}), app: () => new Promise<never>(() => {}) };
  const log = pino({ level: "silent" });
  const processor = new WebhookProcessor({
    store,
    permissions: new PermissionCache({ store, log, now, keepMs: 1_000 }),
    labelIds: new LabelIds({ store, now, requestTimeout: 1_000 }),
    policies,
    installationPermissions: new InstallationPermissions({ store, clients: nobody, now, requestTimeout: 1_000 }),
    ourselves: () => ({ appId: 1, botLogin: "stagewright[bot]" }),
    log,
    now,
    wakeups: new Wakeups(),
  });
  const payload = comment("/stage hold");
  const delivery = {
    id: "d",
    event: "issue_comment",
    payload: JSON.stringify(payload),
    key: "k",
    installationId: 3,
    receivedAt: now(),
    seq: 1,
    status: "pending",
    tries: 0,
    nextAt: 0,
    error: null,
  } as const;
  await processor.handle(delivery, payload);
  const id = { repositoryId: payload.repository.id, number: payload.issue.number };
  expect((await store.pull(id))?.facts.acts.map((act) => act.kind)).toContain("command");
  expect((await store.effectsOf(id)).map(({ kind }) => kind)).toEqual(["answer"]);
});
