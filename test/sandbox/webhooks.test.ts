import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addLabelsByName,
  asApp as asTheApp,
  asUser,
  commitFiles,
  createCheckRun,
  requestAction,
  rerequestCheckRun,
  setSuspended,
  submitReview,
} from "../../src/sandbox/world/index.ts";
import { furnish, type House, refusalOf } from "./house.ts";

let house: House;

beforeEach(async () => {
  house = await furnish();
  await house.sandbox.webhooks.idle();
  house.received.length = 0;
});
afterEach(() => house.close());

const told = () => house.received.map((one) => `${one.event} ${String(one.payload.action ?? "")}`.trim());

describe("webhooks", () => {
  it("are signed and carry GitHub's headers", async () => {
    addLabelsByName(house.sandbox.world, asUser(house.bob), house.pull, ["x"]);
    await house.sandbox.webhooks.idle();
    const one = house.received.find((candidate) => candidate.event === "pull_request");
    expect(one?.headers).toMatchObject({
      "content-type": "application/json",
      "x-hub-signature-256": `sha256=${createHmac("sha256", "s3cret")
        .update(one?.text ?? "")
        .digest("hex")}`,
      "x-github-hook-installation-target-type": "integration",
      "x-github-hook-installation-target-id": String(house.app.id),
      "x-github-delivery": expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(one?.payload).toMatchObject({
      action: "labeled",
      label: { name: "x" },
      sender: { login: "bob" },
      installation: { id: house.installation.id },
      repository: { full_name: "acme/demo" },
    });
  });

  it("tell of a push in order, with the pull request as it was then", async () => {
    const { world } = house.sandbox;
    commitFiles(world, asUser(house.alice), house.repo, { branch: "task-7", message: "m", files: { "b.txt": "b" } });
    const first = house.pull.head.sha;
    commitFiles(world, asUser(house.alice), house.repo, { branch: "task-7", message: "m2", files: { "c.txt": "c" } });
    await house.sandbox.webhooks.idle();
    expect(told()).toEqual([
      "push",
      "check_suite requested",
      "pull_request synchronize",
      "push",
      "check_suite requested",
      "pull_request synchronize",
    ]);
    expect(house.received[2]?.payload).toMatchObject({ after: first, pull_request: { head: { sha: first } } });
    expect(house.received[0]?.payload).toMatchObject({
      ref: "refs/heads/task-7",
      head_commit: { added: ["b.txt"] },
      pusher: { name: "alice" },
    });
  });

  it("tell an app of its own re-requested checks only", async () => {
    const { world } = house.sandbox;
    const { actionsApp } = await import("../../src/sandbox/world/index.ts");
    const make = (app: typeof house.app) =>
      createCheckRun(world, asTheApp(world, app), {
        repository: house.repo,
        app,
        headSha: house.pull.head.sha,
        name: "n",
        actions: [{ label: "Retry", description: "d", identifier: "retry" }],
      });
    const own = make(house.app);
    const foreign = make(actionsApp(world));
    await house.sandbox.webhooks.idle();
    house.received.length = 0;
    rerequestCheckRun(world, asUser(house.bob), own);
    rerequestCheckRun(world, asUser(house.bob), foreign);
    requestAction(world, asUser(house.bob), own, "retry");
    await house.sandbox.webhooks.idle();
    expect(told()).toEqual(["check_run rerequested", "check_run requested_action"]);
    expect(house.received[1]?.payload).toMatchObject({ requested_action: { identifier: "retry" } });
  });

  it("are not sent to a suspended installation, nor for events that it is not subscribed to", async () => {
    setSuspended(house.sandbox.world, asUser(house.alice), house.installation, true);
    addLabelsByName(house.sandbox.world, asUser(house.bob), house.pull, ["x"]);
    await house.sandbox.webhooks.idle();
    expect(told()).toEqual(["installation suspend"]);
    setSuspended(house.sandbox.world, asUser(house.alice), house.installation, false);
    house.installation.events = ["pull_request"];
    submitReview(house.sandbox.world, asUser(house.bob), house.pull, { state: "APPROVED" });
    addLabelsByName(house.sandbox.world, asUser(house.bob), house.pull, ["y"]);
    await house.sandbox.webhooks.idle();
    expect(told()).toEqual(["installation suspend", "installation unsuspend", "pull_request labeled"]);
  });

  it("are listed with their answers, and redelivered with the same id only when asked", async () => {
    house.answer.status = 500;
    addLabelsByName(house.sandbox.world, asUser(house.bob), house.pull, ["x"]);
    await house.sandbox.webhooks.idle();
    const listed = (await house.asApp.rest.apps.listWebhookDeliveries({ per_page: 5 })).data;
    const failed = listed.find((one) => one.event === "pull_request");
    expect(failed).toMatchObject({ action: "labeled", status_code: 500, redelivery: false });
    const one = (await house.asApp.rest.apps.getWebhookDelivery({ delivery_id: failed?.id ?? 0 })).data;
    expect(one).toMatchObject({ response: { payload: "thanks" }, request: { payload: { action: "labeled" } } });
    house.answer.status = 200;
    house.received.length = 0;
    await house.asApp.rest.apps.redeliverWebhookDelivery({ delivery_id: failed?.id ?? 0 });
    await house.sandbox.webhooks.idle();
    expect(house.received.map((again) => again.headers["x-github-delivery"])).toEqual([failed?.guid]);
    expect((await house.asApp.rest.apps.listWebhookDeliveries({ per_page: 1 })).data).toMatchObject([
      { redelivery: true, status_code: 200, guid: failed?.guid },
    ]);
    expect((await refusalOf(house.asApp.rest.apps.getWebhookDelivery({ delivery_id: 1 }))).status).toBe(404);
  });

  it("pages deliveries by cursor", async () => {
    for (const name of ["a", "b", "c"]) addLabelsByName(house.sandbox.world, asUser(house.bob), house.pull, [name]);
    await house.sandbox.webhooks.idle();
    const all = await house.asApp.paginate(house.asApp.rest.apps.listWebhookDeliveries, { per_page: 2 });
    expect(new Set(all.map((one) => one.id)).size).toBe(house.sandbox.world.deliveries.size);
  });

  it("go astray when told to", async () => {
    const { faults, webhooks, world } = house.sandbox;
    const label = async (...names: string[]) => {
      house.received.length = 0;
      for (const name of names) addLabelsByName(world, asUser(house.bob), house.pull, [name]);
      await webhooks.idle();
      return house.received
        .filter((one) => one.event === "pull_request")
        .map((one) =>
          one.payload.label instanceof Object && "name" in one.payload.label ? one.payload.label.name : null,
        );
    };
    const match = { event: "pull_request", action: "labeled" };
    faults.place({ kind: "hookDrop", match });
    expect(await label("a", "b")).toEqual(["b"]);
    faults.place({ kind: "hookDuplicate", match });
    expect(await label("c", "d")).toEqual(["c", "c", "d"]);
    faults.place({ kind: "hookReorder", match: { event: "label" } });
    house.received.length = 0;
    addLabelsByName(world, asUser(house.bob), house.pull, ["e"]);
    await webhooks.idle();
    expect(told()).toEqual(["pull_request labeled", "label created"]);
    // Longer than the next takes on the slowest machine.
    faults.place({ kind: "hookDelay", match, ms: 2_000 });
    expect(await label("f", "g")).toEqual(["g", "f"]);
    expect(faults.list()).toEqual([]);
  });
});
