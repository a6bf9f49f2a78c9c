import type { NetworkInterfaceInfo } from "node:os";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostfile } from "../../../src/agent/process/environment.ts";
import { createTokenVerifier } from "../../../src/coordinator/admission/admission.ts";
import { endpointOf, reachableHost } from "../../../src/coordinator/client/addresses.ts";
import { type Connection, connect } from "../../../src/coordinator/client/connect.ts";
import { BeaconWatch, lightBeacon } from "../../../src/github/checks/leader-beacon.ts";
import { hostOf, joinAddress, splitAddress } from "../../../src/plan/parsing/address.ts";
import { type Issuer, startIssuer } from "../admission/issuer.ts";
import { EVERYTHING, idle, joinOf, keyOf, NEVER, planOf } from "../builders.ts";

const host = fc.oneof(
  fc.ipV4(),
  fc.ipV6().filter((address) => address.length <= 45),
  fc.constantFrom("node1", "gpu_7.lab", "localhost"),
);
const port = fc.integer({ min: 1, max: 65_535 });

it("an address is what it was made of, alone, in a URL and in a host file", () => {
  fc.assert(
    fc.property(host, port, (name, number) => {
      const text = joinAddress(name, number);
      expect(splitAddress(text)).toEqual({ host: name, port: number });
      expect(splitAddress(joinAddress(name, null))).toEqual({ host: name, port: null });
      expect(hostOf(text)).toBe(name);
      const reached = endpointOf(new URL(`https://${text}`));
      // URLs shorten IPv6 addresses and keep no default port.
      expect(reached.port).toBe(number);
      if (!name.includes(":")) expect(reached.host).toBe(name);
      else expect(reached.host).not.toMatch(/[[\]]/);
      const member = { name: "a", index: 0, role: "server", roleIndex: 0, address: text };
      expect(hostfile([member])).toBe(`${name}\n`);
    }),
  );
});

describe("the host at which a machine is reached", () => {
  const at = (address: string, internal = false): NetworkInterfaceInfo => {
    const shared = { address, internal, netmask: "", mac: "", cidr: null };
    return address.includes(":") ? { ...shared, family: "IPv6", scopeid: 0 } : { ...shared, family: "IPv4" };
  };
  const loopback = [at("127.0.0.1", true), at("::1", true)];

  it.each([
    ["IPv4 before IPv6", null, [...loopback, at("fd00::2"), at("192.0.2.2")], "192.0.2.2"],
    ["IPv6 where there is no IPv4", null, [...loopback, at("fe80::1"), at("fd00::2")], "fd00::2"],
    ["the same when it listens at ::", "::", [...loopback, at("fd00::2")], "fd00::2"],
    ["no IPv6 when it listens at IPv4 alone", "0.0.0.0", [...loopback, at("fd00::2")], "127.0.0.1"],
    ["no address of one link alone", null, [...loopback, at("169.254.1.2"), at("fe80::1")], "127.0.0.1"],
    ["its own where nothing else is", null, [at("::1", true)], "::1"],
    ["where it listens", "fd00::7", loopback, "fd00::7"],
  ] as const)("is %s", (_name, listens, interfaces, expected) => {
    expect(reachableHost(listens, interfaces)).toBe(expected);
  });
});

describe("a group over ::1", () => {
  let issuer: Issuer;
  beforeAll(async () => {
    issuer = await startIssuer();
  });
  afterAll(async () => {
    await issuer.close();
  });

  it("finds its leader by the check run, joins it, and sees its address", async () => {
    const plan = planOf("name: p\nroles: { server: 1, client: 1 }\nstages:\n  - { name: s, run: 'true' }\n");
    const place = { owner: "acme", repo: "widgets", headSha: "a".repeat(40), run: "r", group: "train", plan: "p" };
    const checks: { id: number; status: string; external_id: unknown }[] = [];
    const client = {
      request: async (route: string, parameters?: Record<string, unknown>) => {
        if (route.startsWith("POST"))
          checks.push({ id: 1, status: "in_progress", external_id: parameters?.external_id });
        const data = route.startsWith("POST") ? { id: 1, html_url: null } : { check_runs: checks };
        return { status: 200, data, headers: {} };
      },
      graphql: async () => null,
    };
    const options = { key: keyOf(plan), plan, selection: EVERYTHING, agentCount: 2, say: () => undefined };
    const tokens = (check_run_id: string) => ({
      idToken: (audience: string) => issuer.token({ audience, claims: { check_run_id } }),
      verifier: (audience: string) => createTokenVerifier({ issuer: issuer.url, audience }),
      onlyJob: null,
      jobName: null,
      listJobs: null,
    });
    const pace = { now: Date.now, sleep: async () => undefined };
    const announce = async (address: string, job: string | null) => {
      const lit = await lightBeacon(client, place, { address, job }, pace, NEVER);
      expect(lit.lit).toBe(true);
      return async () => undefined;
    };
    const leads = { kind: "leader", listen: "[::1]:0", advertise: null, announce, ...tokens("7000") } as const;
    const leader = await connect({ ...options, location: leads }, NEVER);
    const watch = new BeaconWatch(client, place);
    const addresses = (signal: AbortSignal) => watch.addresses(signal);
    const follows = { kind: "follower", addresses, isTrusted: false, ...tokens("7001") } as const;
    let follower: Connection | null = null;
    try {
      await leader.coordinator.join(joinOf(plan, "s", { role: "server", address: "[::1]:7761", agentCount: 2 }), NEVER);
      follower = await connect({ ...options, location: follows }, NEVER);
      await follower.coordinator.join(
        joinOf(plan, "c", { role: "client", address: "[fd00::2]", agentCount: 2 }),
        NEVER,
      );
      const roster = leader.host?.state.roster?.agents ?? [];
      expect(hostfile(roster)).toBe("fd00::2\n::1\n");
      expect(roster.find(({ role }) => role === "server")?.address).toBe("[::1]:7761");
    } finally {
      await follower?.coordinator.leave("the test is over", NEVER);
      await follower?.close();
      // It stays until everybody has heard the end.
      await leader.coordinator.sync(idle(), 0, NEVER);
      await leader.close();
    }
  });
});
