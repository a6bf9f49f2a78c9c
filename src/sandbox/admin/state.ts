/** The world told as JSON: for tests in other processes, and for people. Nothing secret is in it. */
import { account, app, fullName, labelsOn, mergeState, type PullRequest, type World } from "../world/index.ts";

export function worldState(world: World) {
  const login = (id: number) => account(world, id).login;
  return {
    accounts: [...world.accounts.values()].map(({ id, login: name, type }) => ({ id, login: name, type })),
    apps: [...world.apps.values()].map((one) => ({
      id: one.id,
      slug: one.slug,
      permissions: one.permissions,
      events: one.events,
      webhook: one.webhook?.url ?? null,
    })),
    installations: [...world.installations.values()].map((one) => ({
      id: one.id,
      app: app(world, one.appId).slug,
      account: login(one.accountId),
      suspended: one.suspendedAt !== null,
    })),
    repositories: [...world.repositories.values()].map((repo) => ({
      id: repo.id,
      name: fullName(world, repo),
      private: repo.private,
      defaultBranch: repo.defaultBranch,
      branches: Object.fromEntries(
        [...repo.refs]
          .filter(([ref]) => ref.startsWith("refs/heads/"))
          .map(([ref, sha]) => [ref.slice("refs/heads/".length), sha]),
      ),
      labels: [...repo.labels.values()].map((one) => one.name),
      pulls: [...repo.pulls.values()].map((pull) => pullState(world, pull)),
      checkRuns: [...world.checkRuns.values()]
        .filter((run) => run.repositoryId === repo.id)
        .map((run) => ({
          id: run.id,
          name: run.name,
          app: app(world, run.appId).slug,
          headSha: run.headSha,
          externalId: run.externalId,
          status: run.status,
          conclusion: run.conclusion,
          title: run.output.title,
          annotations: run.annotations.length,
        })),
      runs: [...world.runs.values()]
        .filter((run) => run.repositoryId === repo.id)
        .map((run) => ({
          id: run.id,
          workflow: run.path,
          event: run.event,
          attempt: run.attempt,
          status: run.status,
          conclusion: run.conclusion,
          headSha: run.headSha,
        })),
    })),
    deliveries: [...world.deliveries.values()].map((one) => ({
      id: one.id,
      guid: one.guid,
      event: one.event,
      action: one.action,
      statusCode: one.statusCode,
      status: one.status,
      redelivery: one.redelivery,
    })),
  };
}

function pullState(world: World, pull: PullRequest) {
  const login = (id: number) => account(world, id).login;
  return {
    number: pull.number,
    title: pull.title,
    state: pull.merged ? "merged" : pull.state,
    draft: pull.draft,
    mergeState: pull.state === "open" ? mergeState(world, pull) : null,
    author: login(pull.authorId),
    head: pull.head.sha,
    base: pull.base.ref,
    labels: labelsOn(world, pull).map((one) => one.name),
    reviews: pull.reviews.map((one) => ({ by: login(one.authorId), state: one.state, commit: one.commitSha })),
    comments: pull.comments.map((one) => ({ by: login(one.authorId), body: one.body })),
    history: pull.timeline.map((event) => ({ at: event.at, by: login(event.actorId), event: event.event })),
  };
}
