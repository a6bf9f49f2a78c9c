import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { createTokenVerifier } from "../../../src/coordinator/admission/admission.ts";
import { createSandbox, type Sandbox } from "../../../src/sandbox/index.ts";
import { createOidcIssuer, ISSUER_PATH, type OidcIssuer } from "../../../src/sandbox/oidc.ts";
import { type Place, place } from "./builders.ts";

let sandbox: Sandbox | undefined;
let here: Place | undefined;
afterEach(async () => {
  await here?.close();
  await sandbox?.close();
  here = undefined;
  sandbox = undefined;
});

/** The issuer where the sandbox serves it. */
async function served(): Promise<OidcIssuer> {
  const made = createSandbox();
  sandbox = made;
  await made.listen();
  const issuer = await createOidcIssuer(() => made.url);
  made.mount(ISSUER_PATH, issuer.handle);
  return issuer;
}

const ask = (job: string, permissions: string): string => `
on: [push, pull_request]
permissions: ${permissions}
jobs:
  ${job}:
    runs-on: self-hosted
    steps:
      - run: |
          if [ -z "$ACTIONS_ID_TOKEN_REQUEST_URL" ]; then echo "token=none" >> "$GITHUB_ENV"; echo no oidc; exit 0; fi
          curl -sf -H "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=https%3A%2F%2Fcoordinator.test" > answer.json
          echo "answer=$(base64 -w0 answer.json)"
`;

test("a job's token names the run, and verifies by discovery", async () => {
  const issuer = await served();
  here = await place({ "a.yml": ask("get", "{ id-token: write }") }, { issuer });
  const run = await here.completed("push");
  expect(here.jobs(run)).toEqual({ get: "success" });
  const encoded = /answer=([A-Za-z0-9+/=]{20,})/.exec(here.log(run, "get"))?.[1] ?? "";
  const { value } = z.object({ value: z.string() }).parse(JSON.parse(Buffer.from(encoded, "base64").toString("utf8")));

  const verify = createTokenVerifier({ issuer: issuer.issuer(), audience: "https://coordinator.test" });
  const [job] = [...here.world.jobs.values()];
  expect(await verify(value)).toEqual({
    repository: "octo/tests",
    repositoryId: String(here.repository.id),
    runId: String(run.id),
    attempt: 1,
    checkRunId: String(job?.checkRunId),
    jobWorkflowRef: "octo/tests/.github/workflows/a.yml@refs/heads/main",
  });
  const keys = createRemoteJWKSet(new URL(`${issuer.issuer()}/.well-known/jwks`));
  const { payload } = await jwtVerify(value, keys);
  expect(payload).toMatchObject({
    ...{ event_name: "push", ref: "refs/heads/main", actor: "alice", runner_environment: "self-hosted" },
    job_workflow_ref: "octo/tests/.github/workflows/a.yml@refs/heads/main",
  });
  await expect(createTokenVerifier({ issuer: issuer.issuer(), audience: "https://other.test" })(value)).rejects.toThrow(
    /refused/,
  );
});

test("without the permission there is none, and after the job its request token is worth nothing", async () => {
  const issuer = await served();
  here = await place({ "a.yml": ask("get", "{ contents: read }") }, { issuer });
  const run = await here.completed("push");
  expect(here.log(run, "get")).toContain("no oidc");
  const access = issuer.grant({} as never);
  const fetchToken = (): Promise<number> =>
    fetch(access.url, { headers: { authorization: `Bearer ${access.token}` } }).then((answer) => answer.status);
  expect(await fetchToken()).toBe(200);
  access.revoke();
  expect(await fetchToken()).toBe(401);
});
