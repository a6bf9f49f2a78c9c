import { describe, expect, it } from "vitest";
import { BeaconWatch } from "../../src/github/checks/leader-beacon.ts";

const PLACE = {
  owner: "acme",
  repo: "widgets",
  headSha: "a".repeat(40),
  run: "r".repeat(22),
  group: "train",
  plan: "p",
};
const mine = (address: string, job = "") => `stagewright-leader/${PLACE.run}/${job}/${address}`;
const signal = AbortSignal.timeout(30_000);

/** A GitHub that answers 304 as long as nothing has changed. */
class Listing {
  checks: { id: number; status: string; external_id: string | null; app?: { id: number } }[] = [];
  readonly asked: (string | undefined)[] = [];
  readonly client = {
    request: async (_route: string, parameters?: Record<string, unknown>) => {
      const headers = parameters?.headers as Record<string, string> | undefined;
      const page = Number(parameters?.page);
      const checks = this.checks.slice((page - 1) * 100, page * 100);
      const etag = `"${checks.map(({ id, status }) => `${id}${status}`).join()}"`;
      this.asked.push(headers?.["if-none-match"]);
      if (headers?.["if-none-match"] === etag) throw Object.assign(new Error("Not modified"), { status: 304 });
      return { status: 200, data: { check_runs: checks }, headers: { etag } };
    },
    graphql: async () => null,
  };
}

describe("looking for the leader", () => {
  it("sees the newest address first, and only those of its own run that are in progress", async () => {
    const listing = new Listing();
    listing.checks = [
      { id: 1, status: "in_progress", external_id: mine("10.0.0.1:1000") },
      { id: 2, status: "in_progress", external_id: mine("10.0.0.2:2000") },
      { id: 3, status: "completed", external_id: mine("10.0.0.3:3000") },
      { id: 4, status: "in_progress", external_id: "stagewright-leader/of-another-run/10.0.0.4:4000" },
      { id: 5, status: "in_progress", external_id: null },
      { id: 6, status: "in_progress", external_id: mine("http://evil.example/?x=") },
      { id: 7, status: "in_progress", external_id: mine("10.0.0.7") },
      { id: 8, status: "in_progress", external_id: mine("10.0.0.8:8000", "not-a-job") },
    ];
    expect(await new BeaconWatch(listing.client, PLACE).addresses(signal)).toEqual(["10.0.0.2:2000", "10.0.0.1:1000"]);
  });

  it("asks with the ETag, and keeps what it knows while nothing changes", async () => {
    const listing = new Listing();
    const watch = new BeaconWatch(listing.client, PLACE);
    expect(await watch.addresses(signal)).toEqual([]);
    expect(await watch.addresses(signal)).toEqual([]);
    listing.checks = [{ id: 1, status: "in_progress", external_id: mine("10.0.0.1:1000") }];
    expect(await watch.addresses(signal)).toEqual(["10.0.0.1:1000"]);
    expect(await watch.addresses(signal)).toEqual(["10.0.0.1:1000"]);
    expect(listing.asked).toEqual([undefined, '""', '""', '"1in_progress"']);
  });

  it("sees the newest of each app and job before what one of them shows more", async () => {
    const listing = new Listing();
    const shown = (id: number, app: number, job: string, address: string) => ({
      id,
      status: "in_progress",
      external_id: mine(address, job),
      app: { id: app },
    });
    listing.checks = [
      shown(1, 15_368, "7000", "10.0.0.1:1"),
      ...Array.from({ length: 50 }, (_, index) => shown(100 + index, 15_368, "", `10.9.0.${index}:1`)),
      ...Array.from({ length: 50 }, (_, index) => shown(200 + index, 99, "", `10.8.0.${index}:1`)),
      shown(300, 99, "", "10.9.0.1:1"),
    ];
    const seen = await new BeaconWatch(listing.client, PLACE).addresses(signal);
    expect(seen.slice(0, 3)).toEqual(["10.9.0.1:1", "10.9.0.49:1", "10.0.0.1:1"]);
    expect(seen).toHaveLength(101);
  });

  it("reads the pages behind a full one, again only after a while", async () => {
    const listing = new Listing();
    let now = 0;
    const watch = new BeaconWatch(listing.client, PLACE, () => now);
    listing.checks = Array.from({ length: 350 }, (_, index) => ({
      id: 1_000 - index,
      status: "in_progress",
      external_id: mine(index === 349 ? "10.0.0.1:1" : `10.9.${index % 7}.${index}:1`),
    }));
    expect(await watch.addresses(signal)).toContain("10.0.0.1:1");
    expect(listing.asked).toHaveLength(4);
    now += 1_000;
    expect(await watch.addresses(signal)).toContain("10.0.0.1:1");
    expect(listing.asked).toHaveLength(5);
    now += 15_000;
    listing.checks = listing.checks.slice(100);
    expect(await watch.addresses(signal)).toContain("10.0.0.1:1");
    expect(listing.asked).toHaveLength(8);
    listing.checks = listing.checks.slice(-1);
    expect(await watch.addresses(signal)).toEqual(["10.0.0.1:1"]);
  });
});
