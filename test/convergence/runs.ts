/** Runs of a workflow that a policy asks for: some of the file as the base branch has it, some of the pull request's own. */
import {
  addJob,
  asUser,
  completeRun,
  createRun,
  labelsOn,
  type PullRequest,
  readFileAt,
  updateJob,
} from "../../src/sandbox/world/index.ts";
import type { Random } from "../simulation/random.ts";
import type { Scene } from "./github.ts";

export const CI_PATH = ".github/workflows/ci.yml";
export const HONEST = "on: pull_request\njobs: { ci: { runs-on: x, steps: [{ run: ./test.sh }] } }\n";
export const FORGED = "on: pull_request\njobs: { ci: { runs-on: x, steps: [{ run: exit 0 }] } }\n";
export const CI_FILES = { [CI_PATH]: HONEST };

const EVENTS = ["pull_request", "pull_request", "push", "pull_request_target", "issue_comment"] as const;

/** A run of the pull request's head that has ended; null: there is none of a closed one. */
export function runCi({ sandbox, repository, people }: Scene, pull: PullRequest, random: Random): string | null {
  const { world } = sandbox;
  if (pull.state !== "open" || pull.mergeCommitSha === null) {
    return null;
  }
  const event = random.pick(EVENTS);
  const conclusion = random.pick(["success", "success", "failure"] as const);
  const run = createRun(world, asUser(people.owner), {
    repository,
    path: CI_PATH,
    event,
    ref: `refs/pull/${pull.number}/merge`,
    sha: event === "push" ? pull.head.sha : pull.mergeCommitSha,
    headSha: pull.head.sha,
    headBranch: pull.head.ref,
    pullNumbers: [pull.number],
    payload: {},
  });
  // Of each name GitHub's list shows only the newest.
  const job = addJob(world, run, { key: "ci", name: `ci ${run.id}`, labels: [] });
  updateJob(world, job, { status: "completed", conclusion });
  completeRun(world, run, conclusion);
  const whose = fileAt({ sandbox, repository }, pull.head.sha) === HONEST ? "honest" : "forged";
  return `${whose} run ${run.id} on ${event}: ${conclusion}`;
}

/** What stands in the last stage without an honest run to show for it. */
export function forgeriesBelieved({ sandbox, repository }: Pick<Scene, "sandbox" | "repository">, pull: PullRequest) {
  const { world } = sandbox;
  if (pull.state !== "open" || !labelsOn(world, pull).some((label) => label.name === "stage/approved")) {
    return [];
  }
  const honest = fileAt({ sandbox, repository }, pull.head.sha) === HONEST;
  const proof = [...world.runs.values()].some(
    ({ headSha, event, conclusion }) =>
      headSha === pull.head.sha &&
      conclusion === "success" &&
      (event === "pull_request_target" || (honest && event !== "issue_comment")),
  );
  return proof ? [] : [`#${pull.number} came to approved without a run that it did not write`];
}

function fileAt({ sandbox, repository }: Pick<Scene, "sandbox" | "repository">, sha: string): string {
  return readFileAt(sandbox.world, repository, CI_PATH, sha)?.bytes.toString() ?? "";
}
