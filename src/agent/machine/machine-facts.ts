/** The facts of this machine. */
import { availableParallelism, cpus, hostname, release, totalmem } from "node:os";
import { PLAN_BOUNDS } from "../../plan/bounds.ts";
import { withoutUnprintable } from "../../plan/parsing/names.ts";
import type { MachineFacts } from "../../run/group/machine-facts.ts";

/** @param env this process's own environment, which names the runner */
export function machineFacts(env: Readonly<Record<string, string | undefined>>): MachineFacts {
  const { RUNNER_NAME: runner = "" } = env;
  return {
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    cpu: named(cpus()[0]?.model ?? ""),
    os: process.platform,
    kernel: named(release()),
    arch: process.arch,
    runner: runner === "" ? null : named(runner),
    // GitHub's own are new each time, though their names come again.
    ...(env.RUNNER_ENVIRONMENT === "github-hosted" ? {} : { host: named(runner || hostname()) }),
  };
}

function named(text: string): string {
  return withoutUnprintable(text).trim().slice(0, PLAN_BOUNDS.longName);
}
