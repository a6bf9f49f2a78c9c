/** A policy of three bots with back rules, pushes that are excepted and a bound on rounds, and the bots themselves. */

import type { Repository, World } from "../../src/sandbox/world/index.ts";
import { type Account, type Actor, addApp, asApp, asUser, install } from "../../src/sandbox/world/index.ts";
import { KEYS } from "../keys.ts";

export const BOT_POLICY = `version: 1
task_id: { branch: "gadget-*" }
operators: ["cleo[bot]"]
stages:
  - name: pr-created
    owner: "rex[bot]"
    enter: { draft: false }
    on_back: [{ comment: "Task {{ticket}}: back to {{owner}}: {{reason}}" }]
  - name: ready-for-qa
    owner: "tess[bot]"
    enter: { label: { name: ready-for-qa, by: ["cleo[bot]"] } }
    on_enter: [{ comment: "Task {{ticket}}: over to {{owner}}" }, { label: { add: in-qa } }]
    back: { when: { any: [changes_requested, { command: { name: reject, by: ["tess[bot]", "cleo[bot]"] } }] }, to: pr-created }
  - name: approved
    gate: true
    enter: { approvals: { count: 1, by: ["tess[bot]"] }, checks: [build] }
    on_enter: [{ comment: "Done" }]
on_push: { back_to: pr-created, except: { by: ["cleo[bot]"] } }
max_rounds: 2
`;

const PERMISSIONS = {
  contents: "write",
  issues: "write",
  metadata: "read",
  pull_requests: "write",
} as const;

/** An app of this name on the repository; the account that it acts as, `<name>[bot]`. */
export function addBot(world: World, owner: Account, repository: Repository, name: string): Account {
  const app = addApp(world, { slug: name, owner, permissions: PERMISSIONS, events: [], keys: KEYS });
  install(world, asUser(owner), { app, account: owner, repositories: [repository] });
  return acting(world, app.botId);
}

/** Whoever it is, as itself: a bot acts with its app's token. */
export function as(world: World, account: Account): Actor {
  const app = account.appId === null ? undefined : world.apps.get(account.appId);
  return app === undefined ? asUser(account) : asApp(world, app);
}

function acting(world: World, id: number): Account {
  const account = world.accounts.get(id);
  if (account === undefined) {
    throw new Error("an app without a bot");
  }
  return account;
}
