import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type StateCache, stateCache } from "../../src/action/cache/state-cache.ts";
import { type CacheService, startCacheService } from "../../src/sandbox/cache-service.ts";

let service: CacheService;
let directory = "";
const open: StateCache[] = [];
beforeEach(async () => {
  service = await startCacheService();
  directory = mkdtempSync(join(tmpdir(), "stagewright-cache-"));
});
afterEach(async () => {
  for (const cache of open.splice(0)) await cache.close();
  await service.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Of one attempt of a run that no other test has. */
function cacheOf(attempt: number, group = "train"): StateCache {
  const env = {
    ACTIONS_RUNTIME_TOKEN: service.token,
    ACTIONS_RESULTS_URL: service.url,
    ACTIONS_CACHE_SERVICE_V2: "True",
    GITHUB_SERVER_URL: "http://127.0.0.1:1",
    PATH: `${directory}:${process.env.PATH}`,
    RUNNER_TEMP: directory,
    SECRET: "not for it",
  };
  const cache = stateCache({ env, about: [directory, group], attempt });
  if (cache === null) throw new Error("there is no cache");
  open.push(cache);
  return cache;
}

const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString());

it("keeps states, and finds the newest of the same run; what it starts is not given its token", async () => {
  const seen = join(directory, "seen");
  writeFileSync(join(directory, "tar"), `#!/bin/sh\nenv >> '${seen}'\nPATH=/usr/bin:/bin exec tar "$@"\n`);
  chmodSync(join(directory, "tar"), 0o755);
  const first = cacheOf(1);
  expect(await first.newest()).toBeNull();
  await first.keep(Buffer.from("one"));
  await first.keep(Buffer.from("two"));
  await first.close();
  expect(text(await cacheOf(2).newest())).toBe("two");
  expect(await cacheOf(2, "other").newest()).toBeNull();
  expect(existsSync(seen)).toBe(true);
  expect(readFileSync(seen, "utf8")).not.toMatch(new RegExp(`${service.token}|not for it`));
});

it("says why nothing can be found or kept, and that there is none", async () => {
  const cache = cacheOf(1);
  await service.close();
  await expect(cache.newest()).rejects.toThrow(/Unable to make request: ECONNREFUSED/);
  await expect(cache.keep(Buffer.from("one"))).rejects.toThrow(/Failed to save/);
  service = await startCacheService();
  expect(stateCache({ env: {}, about: ["a"], attempt: 2 })).toBeNull();
});
