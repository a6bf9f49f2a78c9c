/** Addresses, as a GitHub Enterprise server gives them out. */
import { account, fullName, type Repository, type World } from "../world/index.ts";

export function api(world: World, path: string): string {
  return `${world.baseUrl}/api/v3${path}`;
}

export function pageUrl(world: World, path: string): string {
  return `${world.baseUrl}${path}`;
}

export function repoApi(world: World, repo: Repository, path = ""): string {
  return api(world, `/repos/${fullName(world, repo)}${path}`);
}

export function repoHtml(world: World, repo: Repository, path = ""): string {
  return pageUrl(world, `/${fullName(world, repo)}${path}`);
}

/** ISO 8601 without milliseconds, as GitHub writes times. */
export function iso(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}

export function isoOrNull(at: number | null): string | null {
  return at === null ? null : iso(at);
}

export function ownerLogin(world: World, repo: Repository): string {
  return account(world, repo.ownerId).login;
}
