import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addLabelsByName, asUser } from "../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../house.ts";

describe("webhooks that never came", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse({ oneClock: true, timings: { redeliverPause: 100_000, deliveryGrace: 10_000 } });
  });
  afterEach(async () => {
    await house.close();
  });

  const check = async () => {
    const report = await house.app.engine().reconciliation.findMissed();
    await house.settled();
    return report;
  };
  const drop = (times: number) =>
    house.sandbox.faults.place({ kind: "hookDrop", match: { event: "pull_request" }, times });
  const attempts = () =>
    house.sandbox.requests.counts().routes["POST /app/hook/deliveries/{delivery_id}/attempts"] ?? 0;

  it("are asked for again, once each, and have their effect", async () => {
    const pull = house.open();
    await house.settled();
    house.later(20);
    expect(await check()).toMatchObject({ missed: 0, redelivered: 0 });
    drop(1);
    addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["ready-for-qa"]);
    await house.settled();
    expect(await check()).toMatchObject({ missed: 0 });
    house.later(20);
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    const idle = await house.store.sweeps.of(house.repository.id);
    if (idle === null) throw new Error("The repository is not known.");
    const tomorrow = house.sandbox.world.now() + 86_400_000;
    const rarely = { failures: 0, activeSince: tomorrow, activeAt: tomorrow, idleAt: tomorrow };
    await house.store.sweeps.settle(idle, rarely);
    const before = attempts();
    expect(await check()).toMatchObject({ missed: 1, redelivered: 1, givenUp: 0 });
    expect(attempts() - before).toBe(1);
    expect((await house.store.due.sweeps.outlook(0)).nextAt).toBeLessThanOrEqual(tomorrow - 86_400_000 + 600_000);
    house.later(20);
    expect(await check()).toMatchObject({ missed: 0 });
    const row = await house.row(pull);
    expect(row?.facts.acts.some((act) => act.kind === "labeled" && act.label === "ready-for-qa")).toBe(true);
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
  });

  it("are asked for with growing pauses, a few times only", async () => {
    await house.settled();
    house.later(20);
    await check();
    drop(1_000);
    house.open();
    await house.sandbox.webhooks.idle();
    house.later(20);
    const first = await check();
    expect(first.missed).toBeGreaterThan(0);
    expect(first.redelivered).toBe(first.missed);
    // It may still be on its way.
    expect(await check()).toMatchObject({ missed: 0, redelivered: 0 });
    const asked: number[] = [];
    // GitHub believes the app's signature for ten minutes of this clock.
    for (const seconds of [50, 60, 100, 110]) {
      house.later(seconds);
      asked.push((await check()).redelivered);
    }
    expect(asked).toEqual([0, first.missed, 0, first.missed]);
    house.sandbox.faults.clear();
  });

  it("are given up after the fifth attempt", async () => {
    await house.close();
    house = await openHouse({ oneClock: true, timings: { redeliverPause: 1_000, deliveryGrace: 1_000 } });
    await house.settled();
    house.later(20);
    await check();
    drop(1_000);
    house.open();
    await house.sandbox.webhooks.idle();
    let asked = 0;
    let last = { missed: 0, givenUp: 0, redelivered: 0 };
    for (let round = 0; round < 8; round += 1) {
      house.later(15);
      last = await check();
      asked += last.redelivered;
      if (last.givenUp > 0) break;
    }
    expect(asked).toBe(4 * last.missed);
    expect(last).toMatchObject({ missed: 1, givenUp: 1, redelivered: 0 });
    house.later(15);
    expect(await check()).toMatchObject({ missed: 0, givenUp: 0 });
  });

  it("of the time before this memory began are asked for only where they failed", async () => {
    await house.settled();
    const listed = house.sandbox.world.deliveries.size;
    expect(listed).toBeGreaterThan(0);
    await house.store.setMeta("deliveries: looked at until", "0");
    for (const delivery of house.sandbox.world.deliveries.values()) {
      // As if another database had taken it.
      await house.store.pruneDeliveries(Number.MAX_SAFE_INTEGER);
      expect(delivery.statusCode).toBeGreaterThanOrEqual(200);
    }
    house.later(20);
    expect(await check()).toMatchObject({ listed, missed: 0, redelivered: 0 });
  });

  it("are looked for by itself", async () => {
    await house.close();
    house = await openHouse({ timings: { reconcileDelay: 0, deliveriesEvery: 20, deliveryGrace: 1_500 } });
    await house.settled();
    drop(1);
    const pull = house.open();
    await house.until("it has its label", () => house.stageLabels(pull).includes("stage/pr-created"));
  });

  it("tells when GitHub's list cannot be read, and tries again", async () => {
    await house.settled();
    house.sandbox.faults.place({ kind: "status", match: { route: "/app/hook/deliveries" }, status: 502 });
    await expect(check()).rejects.toMatchObject({ status: 502 });
    expect(await check()).toMatchObject({ missed: 0 });
  });
});
