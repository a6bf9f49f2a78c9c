/** The result of a run that was started for a pull request, as one of the pull request's facts. Pure. */
import type { RunSeen } from "../../src/github/workflows/workflows.ts";
import { act } from "../../src/lifecycle/facts/change.ts";
import type { Facts } from "../../src/lifecycle/facts/facts.ts";
import { record } from "../../src/lifecycle/facts/record.ts";
import type { StartedRun } from "../store/model.ts";

export function withResult(
  facts: Facts,
  start: StartedRun,
  run: RunSeen,
  result: "success" | "failure" | "cancelled",
): Facts {
  const by = run.by === null ? null : { kind: run.by.bot ? "bot" : "user", id: run.by.id, login: run.by.login };
  const done = act({
    kind: "workflow",
    at: run.updatedAt,
    by: by?.kind === "user" ? { ...by, kind: "user" } : { kind: "bot", id: by?.id ?? 0, login: by?.login ?? "" },
    workflow: run.path,
    runId: run.id,
    result,
    sha: start.sha,
  });
  const { repository, number, installationId } = facts;
  const pull = { installationId, repository, number };
  // Kept with the result: the start itself is forgotten after some time.
  const origin = { runId: run.id, sha: start.sha, baseRef: null, origin: "started", detail: "" } as const;
  const withOrigin = record(facts, { kind: "run_origins", pull, origins: [origin] });
  return record(withOrigin, { kind: "acts", pull, acts: [done] });
}
