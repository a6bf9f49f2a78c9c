/** Finds the page that an address names. */
import { type Request, type Response, text } from "../server/message.ts";
import { repositoryByName, type World } from "../world/index.ts";
import { html } from "./html.ts";
import { layoutPage, stylesheet } from "./layout.ts";
import { checkPage, pullPage } from "./pull.ts";
import { blobPage, commitPage, front, repositoryPage, treePage } from "./repositories.ts";
import { deliveriesPage, deliveryPage, jobPage, runPage } from "./runs.ts";

/** Nothing from elsewhere, no scripts at all. */
const security = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
};

export function site(world: World, request: Request): Response {
  if (request.method !== "GET") return text(405, "Method Not Allowed");
  const path = decodeURI(request.url.pathname);
  if (path === "/_style.css")
    return { status: 200, headers: { ...security, "content-type": "text/css; charset=utf-8" }, body: stylesheet };
  const log = /^\/_logs\/(\d+)$/.exec(path)?.[1];
  if (log !== undefined) {
    const job = world.jobs.get(Number(log));
    return job === undefined ? text(404, "Not Found") : text(200, job.log.join(""), security);
  }
  const avatar = /^\/_avatars\/(\d+)$/.exec(path)?.[1];
  if (avatar !== undefined) return avatarOf(world, Number(avatar));
  const body = find(world, path);
  const headers = { ...security, "content-type": "text/html; charset=utf-8" };
  return body === null
    ? { status: 404, headers, body: layoutPage("Not found", html`<p>Nothing is here.</p>`) }
    : { status: 200, headers, body };
}

function find(world: World, path: string): string | null {
  if (path === "/") return front(world);
  if (path === "/_deliveries") return deliveriesPage(world);
  const delivery = /^\/_deliveries\/(\d+)$/.exec(path)?.[1];
  if (delivery !== undefined) return deliveryPage(world, delivery);
  const [, owner = "", name = "", rest = ""] = /^\/([^/]+)\/([^/]+)(?:\/(.*))?$/.exec(path) ?? [];
  const repo = repositoryByName(world, owner, name);
  if (repo === null) return null;
  if (rest === "") return repositoryPage(world, repo);
  const [kind = "", ...parts] = rest.split("/");
  const tail = parts.join("/");
  switch (kind) {
    case "pull": {
      const pull = repo.pulls.get(Number(parts[0]));
      return pull === undefined ? null : pullPage(world, repo, pull);
    }
    case "commit":
      return commitPage(world, repo, tail);
    case "tree":
      return treePage(world, repo, tail);
    case "blob":
      return blobPage(world, repo, tail);
    case "runs": {
      const run = world.checkRuns.get(Number(parts[0]));
      return run?.repositoryId === repo.id ? checkPage(world, repo, run) : null;
    }
    case "actions": {
      const run = world.runs.get(Number(parts[1]));
      if (parts[0] !== "runs" || run?.repositoryId !== repo.id) return null;
      if (parts[2] === undefined) return runPage(world, repo, run);
      const job = world.jobs.get(Number(parts[3]));
      return parts[2] === "job" && job?.runId === run.id ? jobPage(world, repo, job) : null;
    }
    default:
      return null;
  }
}

function avatarOf(world: World, id: number): Response {
  const letter = world.accounts.get(id)?.login.slice(0, 1).toUpperCase() ?? "?";
  const image = html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" fill="hsl(${(id * 47) % 360} 50% 50%)"/><text x="20" y="27" font-size="20" text-anchor="middle" fill="white">${letter}</text></svg>`;
  return { status: 200, headers: { ...security, "content-type": "image/svg+xml" }, body: image.text };
}
