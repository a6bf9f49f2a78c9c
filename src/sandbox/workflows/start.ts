/** GitHub Actions for a sandbox, ready to use: runners, an OIDC issuer, and this project's own action. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CacheService, startCacheService } from "../cache-service.ts";
import type { Sandbox } from "../index.ts";
import { createOidcIssuer, ISSUER_PATH, type OidcIssuer } from "../oidc.ts";
import { type CancelTimes, GITHUB_CANCEL_TIMES } from "../runner/process.ts";
import { payload } from "../webhooks/payloads.ts";
import { startWorkflows } from "./engine.ts";
import { localAction } from "./local-action.ts";
import { createRunnerPool, type RunnerPool } from "./pool.ts";

export interface ActionsOptions {
  /** The project's directory: where `action.yml` and `dist/` are. */
  readonly root: string;
  /** How many self-hosted runners there are. */
  readonly runners: number;
  /** Labels besides `self-hosted`, `linux` and `x64`. Default: `ubuntu-latest`, as the sandbox has no runners of GitHub's. */
  readonly labels?: readonly string[];
  /** Of every repository. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
  /** Default: GitHub's own. */
  readonly cancelTimes?: CancelTimes;
  /** Default: GitHub's five minutes. */
  readonly cancelTimeoutMs?: number;
  /** False: no job gets OIDC. */
  readonly oidc?: boolean;
  readonly report: (error: unknown) => void;
}

export interface Actions {
  readonly pool: RunnerPool;
  readonly issuer: OidcIssuer | null;
  readonly cache: Pick<CacheService, "newest">;
  /** Cancels all runs, ends by force after `graceMs` what still runs, and leaves nothing behind. */
  close(graceMs: number): Promise<void>;
}

const GITHUB_CANCEL_TIMEOUT_MS = 5 * 60_000;

/** Starts the interpreter and the runners. The sandbox must listen before the first job starts. */
export async function startActions(
  sandbox: Pick<Sandbox, "world" | "mount">,
  options: ActionsOptions,
): Promise<Actions> {
  const directory = await mkdtemp(join(tmpdir(), "stagewright-runners-"));
  const { world } = sandbox;
  const issuer = options.oidc === false ? null : await createOidcIssuer(() => world.baseUrl);
  if (issuer !== null) sandbox.mount(ISSUER_PATH, issuer.handle);
  const cache = await startCacheService();
  const pool = createRunnerPool({ count: options.runners, labels: options.labels ?? ["ubuntu-latest"] });
  const workflows = startWorkflows({
    world,
    pool,
    issuer,
    cache,
    urls: () => ({
      server: world.baseUrl,
      api: `${world.baseUrl}/api/v3`,
      graphql: `${world.baseUrl}/api/graphql`,
    }),
    secrets: () => options.secrets ?? {},
    variables: () => options.variables ?? {},
    ...localAction(options.root),
    directory,
    cancelTimes: options.cancelTimes ?? GITHUB_CANCEL_TIMES,
    cancelTimeoutMs: options.cancelTimeoutMs ?? GITHUB_CANCEL_TIMEOUT_MS,
    payloadOf: (change) => payload(world, change) ?? {},
    report: options.report,
  });
  return {
    pool,
    issuer,
    cache,
    async close(graceMs) {
      await workflows.close(graceMs);
      await cache.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
