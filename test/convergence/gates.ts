/** What must be so of gates once all is settled: none lets pass what is on hold, and none is waited for in vain. */
import type { Evaluation } from "../../src/lifecycle/evaluation/evaluation.ts";
import { CHECK_NAME_PREFIX, type Policy } from "../../src/lifecycle/policy/policy.ts";
import { letsPass } from "../../src/lifecycle/presentation/gate-checks.ts";
import { checkRunsOn } from "../../src/sandbox/world/index.ts";
import type { Scene } from "./github.ts";

/** A check run of ours on the head commit, the newest of its name. */
export interface GateSeen {
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
}

/** `evaluation`: of everything that is known; `checks`: as GitHub shows them. */
export function wrongGates(policy: Policy, evaluation: Evaluation, checks: readonly GateSeen[]): string[] {
  const { held, notApplying, inactive } = evaluation;
  if (inactive === "closed" || inactive === "unknown") {
    return [];
  }
  const found: string[] = [];
  const gates = policy.stages.filter(({ gate }) => gate);
  for (const { name } of gates) {
    const seen = checks.find((check) => check.name === `${CHECK_NAME_PREFIX}${name}`);
    if (seen === undefined) {
      found.push(`has no check run of the gate ${name}`);
      continue;
    }
    const shows = seen.conclusion ?? seen.status;
    if (held !== null && letsPass(seen)) {
      found.push(`is on hold (${held.why}), and its gate ${name} shows ${shows}`);
    }
    const needless = notApplying.some((each) => each.name === name);
    if (held === null && needless && inactive !== "opted_out" && shows !== "skipped") {
      found.push(`has no need of the gate ${name}, which shows ${shows}`);
    }
  }
  const stages = new Set(policy.stages.map(({ name }) => `${CHECK_NAME_PREFIX}${name}`));
  const open = checks.filter(({ name, status }) => name.startsWith(CHECK_NAME_PREFIX) && status !== "completed");
  for (const { name, status } of held === null ? open : []) {
    if (!stages.has(name)) {
      found.push(`shows ${name} as ${status}, of which the policy knows nothing`);
    }
  }
  return found;
}

/** Told of each check run that let pass and is on hold now, and of each that is skipped. */
export function watchGates({ sandbox, app }: Scene, told: (what: "closed" | "skipped") => void): void {
  sandbox.world.changes.record((change) => {
    if (change.kind !== "check_run" || change.run.appId !== app.id) {
      return;
    }
    const { run } = change;
    const repository = sandbox.world.repositories.get(run.repositoryId);
    const before =
      repository === undefined
        ? []
        : checkRunsOn(sandbox.world, repository, run.headSha).filter(
            ({ id, name }) => id < run.id && name === run.name,
          );
    if (run.conclusion === "skipped") {
      told("skipped");
    } else if (change.action === "created" && /on hold/iu.test(run.output.title ?? "") && before.some(letsPass)) {
      told("closed");
    }
  });
}
