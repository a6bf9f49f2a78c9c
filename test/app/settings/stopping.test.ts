/** A process that is told to stop: it ends by itself within 25 s, whatever it waits for, and says how that went. */
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { asUser, commitFiles, openPull } from "../../../src/sandbox/world/index.ts";
import { openBeside } from "../../beside.ts";
import { startIssuer } from "../../coordinator/admission/issuer.ts";
import { joinOf, planOf } from "../../coordinator/builders.ts";
import { join as joinRun, post, syncBody } from "../../coordinator/server/raw.ts";
import { registerApp, told } from "../registered-app.ts";
import { endAll, type Started } from "../server-process.ts";

/** It ends itself after 20 s and a moment, which takes longer on a machine that has much else to do. */
const LONGEST_MS = 60_000;

afterAll(endAll);

/** Resolves with its exit code and the lines of its log. */
async function stop({ child, output }: Started): Promise<{ code: number | null; lines: string[] }> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), LONGEST_MS);
  const [code] = await ended;
  clearTimeout(late);
  return { code, lines: output().trim().split("\n") };
}

it.concurrent("ends in order, answers agents that are held, and says nothing after that it has stopped", async () => {
  const [registered, issuer] = [await registerApp(), await startIssuer()];
  const url = `http://127.0.0.1:${registered.port}`;
  const app = registered.start({ PRIVATE_KEY: registered.privateKey, PUBLIC_URL: url, OIDC_ISSUER: issuer.url });
  await told(app, /^200/, registered.readiness);
  const plan = planOf("agents: 2\nstages:\n  - { name: work, run: 'true' }\n");
  const repositoryId = `${registered.repository.id}`;
  const request = { ...joinOf(plan, "node-0"), key: { ...joinOf(plan, "node-0").key, repositoryId } };
  const bearer = await issuer.token({
    audience: url,
    claims: {
      repository: "acme/widget",
      repository_id: repositoryId,
      run_id: request.key.runId,
      run_attempt: `${request.key.attempt}`,
    },
  });
  const joined = await joinRun(new URL(url).host, request, { bearer });
  expect(joined.status, joined.message).toBe(200);
  const held = post(new URL(url).host, `/api/runs/${joined.run}/sync`, joined.session, syncBody(1));
  // A proxy keeps connections that nobody uses just then.
  const idle = connect(registered.port, "127.0.0.1");
  idle.on("error", () => undefined);
  await sleep(300);
  const { code, lines } = await stop(app);
  expect(code, app.output()).toBe(0);
  expect(lines.at(-1)).toMatch(/"msg":"stopped"/);
  expect((await held).status).toBeGreaterThan(0);
  await issuer.close();
  await registered.close();
}, 240_000);

it.concurrent("ends while GitHub does not answer; a second signal ends it at once", async () => {
  const registered = await registerApp();
  const { sandbox, repository, rex } = registered;
  const { world } = sandbox;
  for (const second of [false, true]) {
    const app = registered.start();
    await told(app, /^200/, registered.readiness);
    sandbox.faults.place({ kind: "delay", times: 1_000, ms: 600_000 });
    const branch = `gadget-${second}`;
    commitFiles(world, asUser(rex), repository, { branch, message: "Add", files: { [`${branch}.txt`]: "1\n" } });
    openPull(world, asUser(rex), repository, { title: branch, head: branch, base: "main" });
    await sandbox.webhooks.idle();
    await sleep(1_000);
    if (second) {
      app.child.kill("SIGTERM");
      await told(app, /"msg":"stopping"/, app.output);
    }
    const { code } = await stop(app);
    expect(code, app.output()).toBe(second ? 1 : 0);
    if (!second) expect(app.output()).toMatch(/"msg":"stopped"/);
    sandbox.faults.clear();
  }
  await registered.close();
}, 240_000);

it.concurrent("ends with 1 where its database is held by another process, or a request waits for GitHub", async () => {
  const registered = await registerApp();
  const app = registered.start();
  await told(app, /^200/, registered.readiness);
  registered.sandbox.faults.place({ kind: "delay", times: 1_000, ms: 600_000 });
  const asking = fetch(`http://127.0.0.1:${registered.port}/api/adopt`, {
    method: "POST",
    headers: { authorization: "Bearer a-token-of-somebody", "content-type": "application/json" },
    body: JSON.stringify({ repository: "acme/widget" }),
  }).catch(() => "cut");
  await sleep(300);
  const first = await stop(app);
  expect(first.code, app.output()).toBe(1);
  expect(app.output()).toMatch(/requests that were not done after 5 s were cut/);

  expect(await asking).toBe("cut");
  registered.sandbox.faults.clear();
  const again = registered.start();
  await told(again, /^200/, registered.readiness);
  const other = openBeside(join(registered.directory, "app.db"));
  other.exec("BEGIN EXCLUSIVE");
  const second = await stop(again);
  expect(second.code, again.output()).toBe(1);
  expect(again.output()).toMatch(/could not stop in order/);
  other.exec("ROLLBACK");
  other.close();
  await registered.close();
}, 240_000);
