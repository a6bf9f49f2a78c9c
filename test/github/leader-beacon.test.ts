import { describe, expect, it } from "vitest";
import { BeaconWatch } from "../../src/github/leader-beacon.ts";

const PLACE = {
  owner: "acme",
  repo: "widgets",
  headSha: "a".repeat(40),
  run: "r".repeat(22),
  group: "train",
  plan: "p",
};
const mine = (address: string) => `stagewright-leader/${PLACE.run}/${address}`;
const signal = AbortSignal.timeout(30_000);

/** A GitHub that answers 304 as long as nothing has changed. */
class Listing {
  checks: { id: number; status: string; external_id: string | null }[] = [];
  readonly asked: (string | undefined)[] = [];
  readonly client = {
    request: async (_route: string, parameters?: Record<string, unknown>) => {
      const headers = parameters?.headers as Record<string, string> | undefined;
      const etag = `"${this.checks.map(({ id, status }) => `${id}${status}`).join()}"`;
      this.asked.push(headers?.["if-none-match"]);
      if (headers?.["if-none-match"] === etag) throw Object.assign(new Error("Not modified"), { status: 304 });
      return { status: 200, data: { check_runs: this.checks }, headers: { etag } };
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
    ];
    expect(await new BeaconWatch(listing.client, PLACE).look(signal)).toEqual(["10.0.0.2:2000", "10.0.0.1:1000"]);
  });

  it("asks with the ETag, and keeps what it knows while nothing changes", async () => {
    const listing = new Listing();
    const watch = new BeaconWatch(listing.client, PLACE);
    expect(await watch.look(signal)).toEqual([]);
    expect(await watch.look(signal)).toEqual([]);
    listing.checks = [{ id: 1, status: "in_progress", external_id: mine("10.0.0.1:1000") }];
    expect(await watch.look(signal)).toEqual(["10.0.0.1:1000"]);
    expect(await watch.look(signal)).toEqual(["10.0.0.1:1000"]);
    expect(listing.asked).toEqual([undefined, '""', '""', '"1in_progress"']);
  });
});
