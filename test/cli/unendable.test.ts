import { chownSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { NOBODY, rootPrefix } from "../agent/unendable.ts";
import { Bench } from "./cli.ts";

const root = rootPrefix();

it.runIf(root !== null)(
  "a process that this user cannot end holds up neither the run, its cleanup nor a second Ctrl-C",
  async () => {
    const bench = new Bench();
    const pidOf = (stage: string): number => Number(bench.read(`${stage}.pid`));
    const command = (stage: string): string => `"echo $$ > ${stage}.pid; exec ${root?.prefix} sleep 1007"`;
    try {
      chownSync(bench.directory, NOBODY.uid, NOBODY.gid);
      bench.file(
        "plan.yml",
        `stages:
  - { name: work, timeout: 2s, run: ${command("work")} }
  - { name: cleanup, run: ${command("cleanup")} }
`,
      );
      const { child, outcome } = bench.start(["run", "plan.yml"], {}, { user: NOBODY });
      await expect.poll(() => existsSync(join(bench.directory, "cleanup.pid")), { timeout: 60_000 }).toBe(true);
      const isRoots = (): boolean => /^Uid:\s+0\s/mu.test(readFileSync(`/proc/${pidOf("cleanup")}/status`, "utf8"));
      await expect.poll(isRoots, { timeout: 30_000 }).toBe(true);
      child.kill("SIGINT");
      await sleep(50);
      child.kill("SIGTERM");
      const { code, stdout, stderr } = await outcome;
      expect({ code, stderr }).toMatchObject({ code: 130 });
      for (const stage of ["work", "cleanup"]) {
        expect(stderr).toMatch(new RegExp(`${stage}: could not be ended .*: ${pidOf(stage)} \\(sleep 1007\\)`));
      }
      expect(JSON.parse(stdout)).toMatchObject({
        success: false,
        phase_results: [{ phase: "work", error: expect.stringContaining("timed out") }, { phase: "cleanup" }],
      });
    } finally {
      for (const stage of ["work", "cleanup"]) {
        try {
          process.kill(pidOf(stage), "SIGKILL");
        } catch {
          // It was never started.
        }
      }
      bench.dispose();
      root?.remove();
    }
  },
  90_000,
);
