import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkClaims, createTokenVerifier } from "../../src/coordinator/admission.ts";
import { Refusal } from "../../src/coordinator/refusal.ts";
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
