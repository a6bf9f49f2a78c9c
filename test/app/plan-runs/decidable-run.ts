/** A run of one agent that the app hosts for a workflow run of the sandbox: what people can decide about. */
import { HttpCoordinator } from "../../../src/coordinator/client/client.ts";
import * as w from "../../../src/sandbox/world/index.ts";
import type { Issuer } from "../../coordinator/admission/issuer.ts";
import { agentOf, joinOf, keyOf, planOf } from "../../coordinator/builders.ts";
import type { House } from "../house.ts";

export type AgentEnd = Awaited<ReturnType<ReturnType<typeof agentOf>["agent"]["run"]>>;

export interface DecidableJob {
  readonly end: Promise<AgentEnd>;
  /** What the agent has logged of its wait. */
  readonly events: ReturnType<typeof agentOf>["events"];
  readonly run: w.WorkflowRun;
  /** The run's check run. */
  check(): w.CheckRun | undefined;
  /** Resolves when the buttons are there. */
  waits(): Promise<w.CheckRun>;
}

let jobs = 0;

/** Begins the run on this commit. @param stages of the plan, as YAML */
export function startJob(
  house: House,
  issuer: Issuer,
  { headSha, name = "release", stages }: { readonly headSha: string; readonly name?: string; readonly stages: string },
): DecidableJob {
  const { world } = house.sandbox;
  const { repository, rex, url } = house;
  const run = w.createRun(world, w.asUser(rex), {
    repository,
    path: ".github/workflows/bench.yml",
    event: "pull_request",
    ref: "refs/heads/main",
    sha: headSha,
    headSha,
    headBranch: "gadget",
    payload: {},
  });
  const plan = planOf(`name: ${name}\nstages:\n${stages}`);
  jobs += 1;
  const checkRun = String(7_000 + jobs);
  const coordinator = new HttpCoordinator({
    url: new URL(url),
    credential: () =>
      issuer.token({
        audience: url,
        claims: {
          repository: `acme/${repository.name}`,
          repository_id: String(repository.id),
          run_id: String(run.id),
          check_run_id: checkRun,
        },
      }),
    onRetry: () => undefined,
  });
  const key = keyOf(plan, { repositoryId: String(repository.id), runId: String(run.id) });
  const { agent, events } = agentOf(coordinator, joinOf(plan, "node-0", { key, index: 0, agentCount: 1 }));
  const check = (): w.CheckRun | undefined =>
    [...world.checkRuns.values()].findLast(
      (each) => each.name === `plan / ${name} (train)` && each.headSha === headSha,
    );
  return {
    run,
    events,
    check,
    end: agent.run(),
    waits: async () => {
      await house.until("the buttons are there", () => check()?.actions.length === 2);
      const found = check();
      if (found === undefined) throw new Error("no check run");
      return found;
    },
  };
}
