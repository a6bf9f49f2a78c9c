/** What is set up wrongly is said at once, with what to change, and ended where it cannot come right. */
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TokenClock } from "../../src/action/token-clock.ts";
import { createTokenVerifier } from "../../src/coordinator/admission.ts";
import { connect } from "../../src/coordinator/connect.ts";
import { findLeader, NoLeader } from "../../src/coordinator/find-leader.ts";
import { doubtsAbout } from "../../src/coordinator/leader-doubts.ts";
import { EVERYTHING, idle, joinOf, keyOf, NEVER, planOf } from "./builders.ts";
import { groupJobs, type Issuer, startIssuer } from "./issuer.ts";

const PLAN = planOf("name: group\nassembly: { timeout: 10m }\nstages:\n  - { name: work, run: 'true' }\n");
const HOUR = 3_600_000;

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());

/** An address at which nothing listens. */
async function closedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (at === null || typeof at === "string") throw new Error("no port");
  return `127.0.0.1:${at.port}`;
}

const said: string[] = [];
function search(addresses: readonly string[], isTrusted: boolean, timeoutMs: number) {
  said.length = 0;
  const verifier = (audience: string) => createTokenVerifier({ issuer: issuer.url, audience });
  const pace = { pauseFirstMs: 5, pauseMostMs: 10, hopelessMs: 100 };
  const say = (text: string): void => void said.push(text);
  const options = { addresses: async () => addresses, isTrusted, verifier, jobs: groupJobs(keyOf(PLAN)), say };
  return findLeader({ ...options, timeoutMs, pace }, NEVER);
}

describe("a follower", () => {
  it.each([
    ["the leader shows an address that is not reached from here", closedAddress, false, /set its `advertise`/],
    ["the leader shows a name that does not resolve", async () => "train-0.invalid:7761", false, /does not resolve/],
    ["the plan names one that does not resolve", async () => "train-0.invalid:7761", true, /agents: \[{address}\]/],
  ])("ends, having said at once what to change, when %s", async (_name, address, isTrusted, says) => {
    const at = await address();
    const searching = search([at], isTrusted, 600_000);
    await expect(searching).rejects.toThrow(NoLeader);
    await expect(searching).rejects.toThrow(says);
    expect(said[0]).toMatch(says);
    expect(said[0]).toContain(at.split(":")[0]);
  });

  it.each([
    ["the plan's address, where the first agent may not have started yet", true, 1],
    ["several addresses, of which another may be the leader's", false, 2],
  ])("goes on asking at %s", async (_name, isTrusted, count) => {
    const addresses = await Promise.all(Array.from({ length: count }, closedAddress));
    await expect(search(addresses, isTrusted, 1_000)).rejects.toThrow("no leader was found within 1 s");
  });
});

describe("a leader", () => {
  it("doubts a name that it cannot resolve itself, and an address of its container", async () => {
    const given = { address: "train-0.invalid:7761", isGiven: true };
    expect(await doubtsAbout(given, false)).toEqual([expect.stringContaining("train-0.invalid, at which the others")]);
    const found = { address: "172.18.0.2:4431", isGiven: false };
    expect(await doubtsAbout(found, true)).toEqual([expect.stringContaining("set `advertise`")]);
  });

  it("doubts no address that was given or is a machine's", async () => {
    expect(await doubtsAbout({ address: "10.0.0.1:7761", isGiven: true }, true)).toEqual([]);
    expect(await doubtsAbout({ address: "[fd00::1]:7761", isGiven: true }, false)).toEqual([]);
    expect(await doubtsAbout({ address: "localhost:7761", isGiven: true }, false)).toEqual([]);
    expect(await doubtsAbout({ address: "10.0.0.1:7761", isGiven: false }, false)).toEqual([]);
  });
});

describe("a clock that is wrong", () => {
  /** A job on a machine whose clock is off by so much; its tokens come with GitHub's time. */
  function jobWithClock(check_run_id: string, offMs: number) {
    const warned: string[] = [];
    const clock = new TokenClock(
      (text) => warned.push(text),
      () => Date.now() + offMs,
    );
    const idToken = async (audience: string): Promise<string> => {
      clock.heard(new Date().toUTCString());
      return await issuer.token({ audience, claims: { check_run_id } });
    };
    const { now } = clock;
    const verifier = (audience: string) => createTokenVerifier({ issuer: issuer.url, audience, now });
    return { warned, tokens: { idToken, verifier, onlyJob: null, jobName: null, listJobs: null } };
  }

  it.each([
    ["the leader's, an hour ahead", HOUR, 0],
    ["the leader's, an hour behind", -HOUR, 0],
    ["a follower's, an hour ahead", 0, HOUR],
    ["a follower's, a day behind", 0, -24 * HOUR],
  ])("keeps nobody from its group, and is said in the first exchange: %s", async (_name, first, second) => {
    const [one, two] = [jobWithClock("7000", first), jobWithClock("7001", second)];
    const options = { key: keyOf(PLAN), plan: PLAN, selection: EVERYTHING, agentCount: 2, say: () => undefined };
    let address = "";
    const announce = async (where: string) => {
      address = where;
      return async () => undefined;
    };
    const leads = { kind: "leader", listen: "127.0.0.1:0", advertise: "127.0.0.1", announce } as const;
    const leader = await connect({ ...options, home: { ...leads, ...one.tokens } }, NEVER);
    const follows = { kind: "follower", addresses: async () => [address], isTrusted: true } as const;
    const follower = await connect({ ...options, home: { ...follows, ...two.tokens } }, NEVER);
    await leader.coordinator.join(joinOf(PLAN, "node-0", { index: 0, agentCount: 2 }), NEVER);
    await follower.coordinator.join(joinOf(PLAN, "node-1", { index: 1, agentCount: 2 }), NEVER);
    expect(leader.host?.state.status).toBe("running");
    expect([...one.warned, ...two.warned]).toEqual([
      expect.stringMatching(/clock is \d+ s (ahead of|behind) GitHub's/),
    ]);
    await follower.coordinator.leave("the test is over", NEVER);
    await leader.coordinator.sync(idle(), 0, NEVER);
    await leader.close();
    await follower.close();
  });

  it("of a coordinator elsewhere is seen in its refusal, which tells both times", async () => {
    const audience = "https://stagewright.example";
    const verify = createTokenVerifier({ issuer: issuer.url, audience, now: () => Date.now() + HOUR });
    const refused = verify(await issuer.token({ audience }));
    await expect(refused).rejects.toThrow(/has expired \(it holds until \S+Z, and by the clock here it is \S+Z/);
  });

  it("by less than the way of an answer is none", () => {
    const warned: string[] = [];
    const clock = new TokenClock(
      (text) => warned.push(text),
      () => 1_000_000,
    );
    clock.heard(new Date(1_020_000).toUTCString());
    clock.heard(null);
    clock.heard("soon");
    expect([clock.now(), warned]).toEqual([1_000_000, []]);
  });
});
