/** Which commits of a branch a client wants to see, as `git log` would choose them. */
import { type Commit, emailOf, filesBetween, required, type World } from "../world/index.ts";

export interface CommitFilter {
  readonly path?: string | undefined;
  /** A login or an email address. */
  readonly author?: string | undefined;
  readonly committer?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export function chosen(world: World, commits: readonly Commit[], filter: CommitFilter): Commit[] {
  const { path, author, committer, since, until } = filter;
  return commits.filter(
    (one) =>
      (author === undefined || is(world, one.authorId, author)) &&
      (committer === undefined || is(world, one.committerId, committer)) &&
      (since === undefined || second(one.at) >= second(Date.parse(since))) &&
      (until === undefined || second(one.at) <= second(Date.parse(until))) &&
      (path === undefined || changes(world, one, path.replace(/^\/|\/$/g, ""))),
  );
}

function is(world: World, accountId: number, named: string): boolean {
  const who = required(world.accounts.get(accountId));
  return [who.login, emailOf(who)].some((name) => name.toLowerCase() === named.toLowerCase());
}

/** Git knows no parts of a second. */
function second(at: number): number {
  return Math.floor(at / 1000);
}

/** Whether it differs from each of its parents in this file or folder; a merge that took one side's changed nothing. */
function changes(world: World, commit: Commit, path: string): boolean {
  const parents = commit.parents.length === 0 ? [null] : commit.parents;
  const within = (file: string) => path === "" || file === path || file.startsWith(`${path}/`);
  return parents.every((parent) => filesBetween(world, parent, commit.sha).some((change) => within(change.path)));
}
