/** The real app as a process of its own, over a real PostgreSQL that is stopped and started again under it. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createSandbox, type Sandbox } from "../../../src/sandbox/index.ts";
import {
  addOrganization,
  addRepository,
  addUser,
  asUser,
  commitFiles,
  install,
  labelsOn,
  openPull,
  setCollaborator,
  submitReview,
} from "../../../src/sandbox/world/index.ts";
import { KEYS } from "../../keys.ts";
import { type Postgres, startPostgres } from "../../postgres/postgres.ts";
import { addStagewright } from "../add-stagewright.ts";
import { endAll, freePort, healthy, SECRET, startServer } from "../server-process.ts";

const PATIENCE = { timeout: 40_000, interval: 50 };
const POLICY = `version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: approved, enter: { approvals: 1 } }
  - { name: twice, enter: { approvals: 2 } }
`;
const directory = mkdtempSync(join(tmpdir(), "stagewright-on-postgres-"));
let postgres: Postgres;
let sandbox: Sandbox;
beforeAll(async () => {
  postgres = await startPostgres();
  sandbox = createSandbox({ limits: { installation: 1_000_000 } as never });
  await sandbox.listen();
});
afterAll(async () => {
  await endAll();
  await sandbox.close();
  await postgres.close();
  rmSync(directory, { recursive: true, force: true });
});

describe("the app on PostgreSQL", () => {
  it("moves pull requests, is not ready while the server is away, and goes on where it was when that is back", async () => {
    const { world } = sandbox;
    const [owner, rex, tess, cleo] = [
      addOrganization(world, "acme"),
      ...["rex", "tess", "cleo"].map((name) => addUser(world, name)),
    ] as const;
    if (rex === undefined || tess === undefined || cleo === undefined) throw new Error("unreachable");
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const registered = addStagewright(world, owner, url, SECRET);
    const files = { "README.md": "# widget\n", ".github/stagewright.yml": POLICY };
    const repository = addRepository(world, asUser(owner), { owner, name: "widget", files });
    for (const person of [rex, tess, cleo]) setCollaborator(world, asUser(owner), repository, person, "write");

    const app = startServer(directory, {
      APP_ID: `${registered.id}`,
      PRIVATE_KEY: KEYS.privateKey,
      WEBHOOK_SECRET: SECRET,
      GHE_HOST: new URL(sandbox.url).host,
      GHE_PROTOCOL: "http",
      HOST: "127.0.0.1",
      PORT: `${port}`,
      LOG_LEVEL: "info",
      DATABASE_URL: await postgres.database(),
      STAGEWRIGHT_WRITE_INTERVAL_MS: "0",
    });
    await healthy(port, app);
    expect(app.output()).toMatch(/"database":"PostgreSQL, test_\w+ at 127\.0\.0\.1:\d+"/u);

    install(world, asUser(owner), { app: registered, account: owner, repositories: [repository] });
    commitFiles(world, asUser(rex), repository, { branch: "gadget", message: "Add", files: { "gadget.txt": "1\n" } });
    const pull = openPull(world, asUser(rex), repository, { title: "Add", head: "gadget", base: "main", draft: false });
    const stage = () =>
      labelsOn(world, pull)
        .map(({ name }) => name)
        .filter((name) => name.startsWith("stage/"));
    await vi.waitFor(() => expect(stage(), app.output()).toEqual(["stage/open"]), PATIENCE);

    await postgres.kill();
    const ready = () => fetch(`${url}/readyz`);
    await vi.waitFor(async () => expect((await ready()).status).toBe(503), PATIENCE);
    expect(await (await ready()).json()).toEqual({
      ready: false,
      reason: expect.stringMatching(/ECONNREFUSED|terminat/),
    });
    const before = world.deliveries.size;
    submitReview(world, asUser(tess), pull, { state: "APPROVED" });
    await sandbox.webhooks.idle();
    const missed = [...world.deliveries.values()].slice(before);
    expect(missed.length).toBeGreaterThan(0);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);

    await postgres.start();
    await vi.waitFor(async () => expect((await ready()).status).toBe(200), PATIENCE);
    // What GitHub was told had not arrived, it sends again.
    for (const delivery of missed) sandbox.webhooks.redeliver(delivery);
    await vi.waitFor(() => expect(stage(), app.output()).toEqual(["stage/approved"]), PATIENCE);

    // In order, too: nothing of what it ends is lost.
    await postgres.stop();
    await vi.waitFor(async () => expect((await ready()).status).toBe(503), PATIENCE);
    await postgres.start();
    await vi.waitFor(async () => expect((await ready()).status).toBe(200), PATIENCE);
    submitReview(world, asUser(cleo), pull, { state: "APPROVED" });
    await vi.waitFor(() => expect(stage(), app.output()).toEqual(["stage/twice"]), PATIENCE);

    app.child.kill("SIGTERM");
    const [code] = await once(app.child, "exit");
    expect(code, app.output()).toBe(0);
    expect(app.output()).not.toContain("of-the-tests");
  }, 180_000);
});
