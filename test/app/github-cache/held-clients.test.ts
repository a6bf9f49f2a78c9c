/** Once GitHub has asked an installation to wait, nobody sends anything for it before then. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { heldClients } from "../../../app/github-cache/held-clients.ts";
import { SOLE_OWNERSHIP } from "../../../app/work/replicas/ownership.ts";
import { DEFAULT_TIMINGS } from "../../../app/work/timings.ts";
import { InstallationWriters } from "../../../app/work/writer/installation-writer.ts";
import type { GitHubClient } from "../../../src/github/port.ts";
import { requestFailure } from "../../../src/github/request-failure.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** GitHub, which says for a while that it is too much; `sent`: requests that reached it, by installation. */
function github(answers: { readonly retryAfter: string | null }) {
  const sent = new Map<number, number>();
  const free = Date.now() + 60_000;
  const of = (id: number): GitHubClient => {
    const ask = async () => {
      sent.set(id, (sent.get(id) ?? 0) + 1);
      if (id === 1 && Date.now() < free) {
        const headers = answers.retryAfter === null ? {} : { "retry-after": answers.retryAfter };
        throw Object.assign(new Error("You have exceeded a secondary rate limit"), {
          status: 403,
          response: { headers },
        });
      }
      return { status: 200, headers: {}, data: {} };
    };
    return { request: ask, graphql: ask };
  };
  const writers = new InstallationWriters({ now: Date.now, timings: DEFAULT_TIMINGS });
  const given = { installation: async (id: number) => of(id), app: async () => of(0) };
  const clients = heldClients(
    { clients: given, now: Date.now, timings: DEFAULT_TIMINGS, ownership: SOLE_OWNERSHIP },
    writers,
  );
  return { clients, writers, sent };
}

it.each([
  ["says for how long", "60"],
  ["does not say for how long", null],
])(
  "two hundred who ask send one request in the minute that GitHub asks to wait, where it %s",
  async (_, retryAfter) => {
    const { clients, sent, writers } = github({ retryAfter });
    const failures = new Set<string>();
    for (let n = 0; n < 200; n += 1) {
      const client = await clients.installation(1);
      const ask = n % 2 === 0 ? client.graphql("query { viewer { login } }") : client.request("GET /rate_limit");
      await ask.then(
        () => failures.add("none"),
        (error: unknown) => failures.add(requestFailure(error, Date.now()).kind),
      );
      vi.advanceTimersByTime(250);
    }
    // Whoever was refused learns the same as from GitHub itself: it is no failure of theirs, and when to come back.
    expect([...failures]).toEqual(["rate_limit"]);
    expect(sent.get(1)).toBe(1);
    expect(writers.of(1).isHeld).toBe(true);
    const other = await clients.installation(2);
    await expect(other.request("GET /rate_limit")).resolves.toMatchObject({ status: 200 });
    vi.advanceTimersByTime(11_000);
    const again = await clients.installation(1);
    await expect(again.request("GET /rate_limit")).resolves.toMatchObject({ status: 200 });
  },
);

it("a write that waits for its turn is sent when the installation may be asked again, and is not refused", async () => {
  const { clients, writers, sent } = github({ retryAfter: "60" });
  const client = await clients.installation(1);
  await expect(client.request("GET /rate_limit")).rejects.toMatchObject({ status: 403 });
  const written = writers.of(1).write(() => client.request("POST /repos/{owner}/{repo}/issues"));
  await vi.advanceTimersByTimeAsync(59_000);
  expect(sent.get(1)).toBe(1);
  await vi.advanceTimersByTimeAsync(2_000);
  await expect(written).resolves.toMatchObject({ status: 200 });
});
