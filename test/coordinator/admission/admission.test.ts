import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkClaims, createTokenVerifier } from "../../../src/coordinator/admission/admission.ts";
import { type CoordinatorLocation, connect } from "../../../src/coordinator/client/connect.ts";
import { Refusal } from "../../../src/coordinator/protocol/refusal.ts";
import { EVERYTHING, keyOf, NEVER, planOf } from "../builders.ts";
import { type Issuer, startIssuer } from "./issuer.ts";

const AUDIENCE = "https://coordinator.example";
const KEY = { repositoryId: "42", runId: "1001", attempt: 1, group: "train", plan: "plan" };

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(async () => {
  await issuer.close();
});

async function refusal(work: () => Promise<unknown>): Promise<Refusal> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a token that names this run", () => {
  it("is accepted, with numbers as text or as numbers", async () => {
    const verify = createTokenVerifier({ issuer: issuer.url, audience: AUDIENCE });
    for (const claims of [{}, { repository_id: 42, run_id: 1001, run_attempt: 1 }]) {
      const job = await verify(await issuer.token({ audience: AUDIENCE, claims }));
      expect(job).toEqual({
        repository: "acme/training",
        repositoryId: "42",
        runId: "1001",
        attempt: 1,
        checkRunId: "7001",
        jobWorkflowRef: null,
      });
      checkClaims(job, KEY);
    }
  });
});

describe("a token is refused, with the reason", () => {
  it.each([
    ["has expired", { expiresInSeconds: -120 }, "unauthorized", "expired"],
    ["was signed by somebody else", { signer: "self" as const }, "unauthorized", "signature"],
    ["was made for another audience", { audience: "https://other.example" }, "unauthorized", "audience"],
    ["names another issuer", { issuer: "https://evil.example" }, "unauthorized", "not issued by"],
    ["lacks the run", { claims: { run_id: undefined } }, "unauthorized", "run_id"],
    ["names another repository", { claims: { repository_id: "43" } }, "wrong_run", "repository 43"],
    ["names another run", { claims: { run_id: "1002" } }, "wrong_run", "workflow run 1002"],
    ["names another attempt", { claims: { run_attempt: "2" } }, "wrong_run", "attempt 2"],
  ])("when it %s", async (_name, token, code, says) => {
    const verify = createTokenVerifier({ issuer: issuer.url, audience: AUDIENCE });
    const refused = await refusal(async () => {
      checkClaims(await verify(await issuer.token({ audience: AUDIENCE, ...token })), KEY);
    });
    expect(refused.code).toBe(code);
    expect(refused.message).toContain(says);
  });

  it.each([
    ["has expired", { expiresInSeconds: -120 }, /^the token was refused: it has expired: it holds from any time to /],
    [
      "does not hold yet",
      { claims: { nbf: 4_000_000_000 } },
      /it does not hold yet: it holds from 2096-10-02T07:06:40Z/,
    ],
  ])("with both clocks, when it %s by the one here", async (_name, token, says) => {
    const verify = createTokenVerifier({ issuer: issuer.url, audience: AUDIENCE });
    const refused = await refusal(async () => verify(await issuer.token({ audience: AUDIENCE, ...token })));
    expect(refused.message).toMatch(says);
    expect(refused.message).toMatch(/, and this clock says 20\d\d-/);
  });

  it("when it is no token at all, or unsigned", async () => {
    const verify = createTokenVerifier({ issuer: issuer.url, audience: AUDIENCE });
    const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from("{}").toString("base64url")}.`;
    for (const token of ["", "abc", unsigned]) expect((await refusal(() => verify(token))).code).toBe("unauthorized");
  });

  it("for now when the issuer's keys cannot be read", async () => {
    const gone = "http://127.0.0.1:1";
    const verify = createTokenVerifier({ issuer: gone, audience: AUDIENCE });
    const refused = await refusal(async () => verify(await issuer.token({ audience: AUDIENCE, issuer: gone })));
    // It may be well in a moment: the agent asks again.
    expect(refused.code).toBe("unavailable");
    expect(refused.message).toContain("could not be read");
  });
});

describe("an agent whose clock is so wrong that its own fresh token does not hold by it", () => {
  const plan = planOf("name: p\nagents: 2\nstages:\n  - { name: s, run: 'true' }\n");
  const about = { key: keyOf(plan), plan, selection: EVERYTHING, agentCount: 2, say: () => undefined };

  it.each([
    ["ahead", "leader", { expiresInSeconds: -120 }],
    ["behind", "leader", { claims: { nbf: 4_000_000_000 } }],
    ["ahead", "follower", { expiresInSeconds: -120 }],
    ["behind", "follower", { claims: { nbf: 4_000_000_000 } }],
  ] as const)("ends at once, saying so: %s, as the %s", async (_way, kind, token) => {
    const tokens = {
      idToken: (audience: string) => issuer.token({ audience, ...token }),
      verifier: (audience: string) => createTokenVerifier({ issuer: issuer.url, audience }),
      onlyJob: null,
      jobName: null,
      listJobs: null,
    };
    const location: CoordinatorLocation =
      kind === "leader"
        ? { kind, listen: "127.0.0.1:0", advertise: null, announce: null, ...tokens }
        : { kind, addresses: async () => [], isTrusted: true, ...tokens };
    await expect(connect({ ...about, location }, NEVER)).rejects.toThrow(
      /^the clock of this machine is wrong: .* set it right/,
    );
  });
});
