/** How a bot moves a pull request that thinks of one call at a time: read labels, delete, add, create a check run, read back. */
import { setTimeout as sleep } from "node:timers/promises";
import { Octokit } from "@octokit/rest";
import { mintInstallationToken, type PullRequest } from "../../src/sandbox/world/index.ts";
import type { House } from "../app/house.ts";

export interface Tally {
  readonly requests: number;
  readonly seconds: number;
  readonly right: number;
}

/** Moves all of them from one stage to the next. `interval`: milliseconds from one write to the next, as GitHub asks. */
export async function oneAtATime(house: House, pulls: readonly PullRequest[], interval: number): Promise<Tally> {
  const { sandbox, repository } = house;
  const [installation] = sandbox.world.installations.values();
  if (installation === undefined) throw new Error("The app is not installed.");
  const { token } = mintInstallationToken(sandbox.world, installation);
  const octokit = new Octokit({ auth: token, baseUrl: `${sandbox.url}/api/v3` });
  const { rest } = octokit;
  const place = { owner: house.owner.login, repo: repository.name };
  let requests = 0;
  let next = 0;
  const read = async <T>(send: () => Promise<T>): Promise<T> => {
    requests += 1;
    return await send();
  };
  const write = async (send: () => Promise<unknown>): Promise<void> => {
    const wait = next - performance.now();
    if (wait > 0) await sleep(wait);
    next = performance.now() + interval;
    requests += 1;
    await send();
  };
  const started = performance.now();
  let right = 0;
  for (const pull of pulls) {
    const issue = { ...place, issue_number: pull.number };
    const before = await read(() => rest.issues.listLabelsOnIssue(issue));
    for (const { name } of before.data.filter((label) => label.name.startsWith("stage/"))) {
      await write(() => rest.issues.removeLabel({ ...issue, name }));
    }
    await write(() => rest.issues.addLabels({ ...issue, labels: ["stage/ready-for-qa"] }));
    await write(() =>
      rest.checks.create({
        ...place,
        name: "stagewright / ready-for-qa",
        head_sha: pull.head.sha,
        status: "completed",
        conclusion: "success",
        output: { title: "Reached", summary: "Reached" },
      }),
    );
    const after = await read(() => rest.issues.listLabelsOnIssue(issue));
    const stages = after.data.map((label) => label.name).filter((name) => name.startsWith("stage/"));
    right += stages.join() === "stage/ready-for-qa" ? 1 : 0;
  }
  return { requests, seconds: (performance.now() - started) / 1000, right };
}

/** Reads the labels and the check runs of each open pull request, one after the other. Returns the number of requests. */
export async function readOneAtATime(house: House, pulls: readonly PullRequest[]): Promise<number> {
  const { sandbox, repository } = house;
  const [installation] = sandbox.world.installations.values();
  if (installation === undefined) throw new Error("The app is not installed.");
  const { token } = mintInstallationToken(sandbox.world, installation);
  const { rest } = new Octokit({ auth: token, baseUrl: `${sandbox.url}/api/v3` });
  const place = { owner: house.owner.login, repo: repository.name };
  let requests = 0;
  for (let page = 1; (page - 1) * 100 < pulls.length; page += 1) {
    requests += 1;
    const { data } = await rest.pulls.list({ ...place, state: "open", per_page: 100, page });
    for (const pull of data) {
      requests += 2;
      await rest.pulls.listReviews({ ...place, pull_number: pull.number });
      await rest.checks.listForRef({ ...place, ref: pull.head.sha });
    }
  }
  return requests;
}
