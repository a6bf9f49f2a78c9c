/** The roots of every query. */

import { reaches } from "../auth/access.ts";
import {
  account,
  accountByLogin,
  actionsApp,
  ancestors,
  type Commit,
  fullName,
  permissionOf,
  type Repository,
  repository,
  repositoryByName,
} from "../world/index.ts";
import { type Context, type Defined, define, type Entity, failure, notResolved, reading } from "./define.ts";
import {
  CheckRunType,
  CheckSuiteType,
  CommentType,
  CommitType,
  EnvironmentType,
  LabelType,
  PullRequestType,
  RepositoryType,
  ReviewType,
  WorkflowRunType,
  WorkflowType,
} from "./entities.ts";
import { AppType, actorEntity, Organization, TeamType, User } from "./types/people.ts";

function visible({ world, caller }: Context, repo: Repository): boolean {
  if (!repo.private) return true;
  return caller.kind === "user" ? permissionOf(world, repo, caller.account) !== "none" : reaches(world, caller, repo);
}

/** Commits are shared between forks: the first repository that has it on a branch, and that the caller sees. */
function homeOf(context: Context, commit: Commit): Repository | null {
  for (const repo of context.world.repositories.values()) {
    if (visible(context, repo) && [...repo.refs.values()].some((tip) => ancestors(context.world, tip).has(commit.sha)))
      return repo;
  }
  return null;
}

/** What a node id stands for, as far as the caller may see it. @throws GraphQLError NOT_FOUND, FORBIDDEN */
export function nodeById(context: Context, id: string): Entity<unknown> {
  const { world } = context;
  const node = world.nodes.get(id);
  if (node === undefined) throw notResolved(id);
  const inside = (repositoryId: number, ...permissions: string[]): void => {
    const repo = repository(world, repositoryId);
    if (!visible(context, repo)) throw notResolved(id);
    reading(context, repo, ...permissions);
  };
  switch (node.type) {
    case "Account":
      return actorEntity(node.value);
    case "App":
      return AppType(node.value);
    case "Team":
      return TeamType(node.value);
    case "Repository":
      inside(node.value.id, "metadata");
      return RepositoryType(node.value);
    case "Commit": {
      const repo = homeOf(context, node.value);
      if (repo === null) throw notResolved(id);
      reading(context, repo, "contents", "checks", "pull_requests");
      return CommitType({ repo, commit: node.value });
    }
    case "Label":
      inside(node.value.repositoryId, "issues", "pull_requests");
      return LabelType(node.value);
    case "PullRequest":
      inside(node.value.repositoryId, "pull_requests");
      return PullRequestType(node.value);
    case "Review":
      inside(node.value.repositoryId, "pull_requests");
      return ReviewType(node.value);
    case "Comment":
      inside(node.value.repositoryId, "issues", "pull_requests");
      return CommentType(node.value);
    case "CheckSuite":
      inside(node.value.repositoryId, "checks");
      return CheckSuiteType(node.value);
    case "CheckRun":
      inside(node.value.repositoryId, "checks");
      return CheckRunType(node.value);
    case "Environment":
      inside(node.value.repositoryId, "actions");
      return EnvironmentType(node.value);
    case "Workflow":
      inside(node.value.repositoryId, "actions");
      return WorkflowType(node.value);
    case "WorkflowRun":
      inside(node.value.repositoryId, "actions");
      return WorkflowRunType(node.value);
    case "Deployment":
      throw failure("NOT_IMPLEMENTED", "not implemented in the sandbox: Deployment");
  }
}

function viewer(context: Context) {
  const { world, caller } = context;
  switch (caller.kind) {
    case "user":
      return User(caller.account);
    // GitHub shows an app's bot as a User here, with the suffix in its login.
    case "installation":
      return User(account(world, caller.app.botId));
    case "job":
      return User(account(world, actionsApp(world).botId));
  }
}

export const Query: Defined<null> = define("Query", {
  viewer: (_root, _args: never, context) => viewer(context),
  repository: (_root, args: { owner: string; name: string; followRenames?: boolean | null }, context) => {
    const { owner, name } = args;
    const found = repositoryByName(context.world, owner, name);
    const renamed = found !== null && fullName(context.world, found).toLowerCase() !== `${owner}/${name}`.toLowerCase();
    if (found === null || !visible(context, found) || (renamed && args.followRenames === false)) {
      throw failure("NOT_FOUND", `Could not resolve to a Repository with the name '${owner}/${name}'.`);
    }
    return RepositoryType(found);
  },
  node: (_root, args: { id: string }, context) => nodeById(context, args.id),
  nodes: (_root, args: { ids: readonly string[] }, context) =>
    args.ids.map((id) => {
      try {
        return nodeById(context, id);
      } catch (error) {
        // A list's item that fails is null with an error of its own; the others stand.
        return error;
      }
    }),
  user: (_root, args: { login: string }, context) => {
    const found = accountByLogin(context.world, args.login);
    if (found === null || found.type !== "User")
      throw failure("NOT_FOUND", `Could not resolve to a User with the login of '${args.login}'.`);
    return User(found);
  },
  organization: (_root, args: { login: string }, context) => {
    const found = accountByLogin(context.world, args.login);
    if (found === null || found.type !== "Organization")
      throw failure("NOT_FOUND", `Could not resolve to an Organization with the login of '${args.login}'.`);
    return Organization(found);
  },
  rateLimit: (_root, _args: never, context) => {
    const budget = context.budget();
    const { limit, remaining, used } = budget;
    return { limit, remaining, used, cost: 1, nodeCount: 0, resetAt: new Date(budget.reset * 1000).toISOString() };
  },
});
