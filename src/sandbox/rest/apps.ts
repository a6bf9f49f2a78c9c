/** The app itself, its installations, tokens and deliveries. */

import { delivery, deliverySummary } from "../shapes/hooks.ts";
import * as shapes from "../shapes/people.ts";
import { fullRepository } from "../shapes/repositories.ts";
import { iso } from "../shapes/urls.ts";
import {
  type App,
  accountByLogin,
  covers,
  type Installation,
  mintInstallationToken,
  type Permissions,
  repositoriesOf,
  required,
  setSuspended,
  uninstall,
  type World,
  WorldError,
} from "../world/index.ts";
import {
  anybody,
  asTheApp,
  counted,
  created,
  list,
  noContent,
  ok,
  page,
  type Route,
  type RouteContext,
  reads,
  repoRoute,
  route,
} from "./route.ts";

function callingApp(call: RouteContext): App {
  if (call.caller.kind !== "app") throw new WorldError("forbidden", "A JSON web token could not be decoded");
  return call.caller.app;
}

function own(call: RouteContext, id: number): Installation {
  const found = call.world.installations.get(id);
  if (found === undefined || found.appId !== callingApp(call).id) throw new WorldError("not_found", "Not Found");
  return found;
}

function ownedBy(call: RouteContext, login: string): Installation {
  const owner = required(accountByLogin(call.world, login));
  const app = callingApp(call);
  return required(
    [...call.world.installations.values()].find((one) => one.appId === app.id && one.accountId === owner.id),
  );
}

/** The levels that the description allows are the world's own; other values never pass its validation. */
function permissionsOf(asked: object | undefined): Permissions | undefined {
  if (asked === undefined) return undefined;
  const found: Record<string, "read" | "write" | "admin"> = {};
  for (const [name, level] of Object.entries(asked))
    if (level === "read" || level === "write" || level === "admin") found[name] = level;
  return found;
}

function repositoryIds(
  world: World,
  installation: Installation,
  ids: readonly number[] | undefined,
  names: readonly string[] | undefined,
): number[] | undefined {
  if (ids === undefined && names === undefined) return undefined;
  const byName = (names ?? []).map((name) => {
    const found = repositoriesOf(world, installation).find((repo) => repo.name.toLowerCase() === name.toLowerCase());
    if (found === undefined)
      throw new WorldError(
        "invalid",
        "There is at least one repository that does not exist or is not accessible to the parent installation.",
      );
    return found.id;
  });
  return [...(ids ?? []), ...byName];
}

export const appRoutes: readonly Route[] = [
  route("GET /app", asTheApp, (call) => ok(shapes.ownApp(call.world, callingApp(call)))),
  route("GET /apps/{app_slug}", anybody, (call) => {
    const found = [...call.world.apps.values()].find((one) => one.slug === call.path.app_slug);
    return ok(shapes.appShape(call.world, required(found)));
  }),
  route("GET /app/installations", asTheApp, (call) => {
    const app = callingApp(call);
    const since = call.query.since === undefined ? 0 : Date.parse(call.query.since);
    const mine = [...call.world.installations.values()].filter((one) => one.appId === app.id && one.updatedAt >= since);
    return list(call, mine, (one) => shapes.installation(call.world, one));
  }),
  route("GET /app/installations/{installation_id}", asTheApp, (call) =>
    ok(shapes.installation(call.world, own(call, call.path.installation_id))),
  ),
  route("DELETE /app/installations/{installation_id}", asTheApp, (call) => {
    uninstall(call.world, call.actor, own(call, call.path.installation_id));
    return noContent;
  }),
  route("PUT /app/installations/{installation_id}/suspended", asTheApp, (call) => {
    setSuspended(call.world, call.actor, own(call, call.path.installation_id), true);
    return noContent;
  }),
  route("DELETE /app/installations/{installation_id}/suspended", asTheApp, (call) => {
    setSuspended(call.world, call.actor, own(call, call.path.installation_id), false);
    return noContent;
  }),
  route("POST /app/installations/{installation_id}/access_tokens", asTheApp, (call) => {
    const installation = own(call, call.path.installation_id);
    const permissions = permissionsOf(call.body?.permissions);
    const ids = repositoryIds(call.world, installation, call.body?.repository_ids, call.body?.repositories);
    const token = mintInstallationToken(call.world, installation, {
      ...(permissions === undefined ? {} : { permissions }),
      ...(ids === undefined ? {} : { repositoryIds: ids }),
    });
    return created({
      token: token.token,
      expires_at: iso(token.expiresAt),
      permissions: { metadata: "read", ...token.permissions },
      repository_selection: ids === undefined ? installation.repositorySelection : "selected",
      ...(ids === undefined
        ? {}
        : {
            repositories: ids.map((id) => fullRepository(call.world, required(call.world.repositories.get(id)), null)),
          }),
    });
  }),
  route("GET /orgs/{org}/installation", asTheApp, (call) =>
    ok(shapes.installation(call.world, ownedBy(call, call.path.org))),
  ),
  route("GET /users/{username}/installation", asTheApp, (call) =>
    ok(shapes.installation(call.world, ownedBy(call, call.path.username))),
  ),
  route("GET /repos/{owner}/{repo}/installation", asTheApp, (call) => {
    const app = callingApp(call);
    const found = [...call.world.installations.values()].find(
      (one) =>
        one.appId === app.id &&
        repositoriesOf(call.world, one).some(
          (repo) =>
            repo.name.toLowerCase() === call.path.repo.toLowerCase() &&
            shapes.userById(call.world, repo.ownerId).login.toLowerCase() === call.path.owner.toLowerCase(),
        ),
    );
    return ok(shapes.installation(call.world, required(found)));
  }),
  route("GET /installation/repositories", { kind: "installation" }, (call) => {
    const { caller, world } = call;
    if (caller.kind !== "installation") throw new WorldError("forbidden", "Resource not accessible by integration");
    const ids = caller.token.repositoryIds;
    const seen = repositoriesOf(world, caller.installation).filter((repo) => ids === null || ids.includes(repo.id));
    const { items, headers } = page(call, seen, (repo) => fullRepository(world, repo, null));
    return {
      status: 200,
      headers,
      body: {
        total_count: seen.length,
        repository_selection: caller.installation.repositorySelection,
        repositories: items,
      },
    };
  }),
  route("DELETE /installation/token", { kind: "installation" }, (call) => {
    if (call.caller.kind === "installation") call.world.tokens.delete(call.caller.token.token);
    return noContent;
  }),
  route("GET /app/hook/deliveries", asTheApp, (call) => {
    const app = callingApp(call);
    const { cursor, per_page: size = 30 } = call.query;
    const all = [...call.world.deliveries.values()]
      .filter((one) => one.appId === app.id && one.deliveredAt !== null)
      .reverse();
    const wanted =
      call.query.status === undefined
        ? all
        : all.filter((one) => (one.statusCode >= 200 && one.statusCode < 300) === (call.query.status === "success"));
    const start =
      cursor === undefined
        ? 0
        : Math.max(
            0,
            wanted.findIndex((one) => `v1_${one.id}` === cursor),
          );
    const shown = wanted.slice(start, start + size);
    const next = wanted[start + size];
    const url = new URL(call.url);
    if (next !== undefined) url.searchParams.set("cursor", `v1_${next.id}`);
    return {
      status: 200,
      body: shown.map(deliverySummary),
      headers: next === undefined ? {} : { link: `<${url.href}>; rel="next"` },
    };
  }),
  route("GET /app/hook/deliveries/{delivery_id}", asTheApp, (call) => {
    const found = call.world.deliveries.get(call.written.delivery_id ?? "");
    if (found === undefined || found.appId !== callingApp(call).id) throw new WorldError("not_found", "Not Found");
    return ok(delivery(found));
  }),
  route("POST /app/hook/deliveries/{delivery_id}/attempts", asTheApp, (call) => {
    const found = call.world.deliveries.get(call.written.delivery_id ?? "");
    if (found === undefined || found.appId !== callingApp(call).id) throw new WorldError("not_found", "Not Found");
    call.redeliver(found);
    return { status: 202, body: {} };
  }),
  repoRoute(
    "GET /repos/{owner}/{repo}/environments/{environment_name}/deployment_protection_rules/apps",
    reads("actions"),
    (call, repo) => {
      const guards = [...call.world.installations.values()]
        .filter((one) => covers(call.world, one, repo))
        .map((one) => required(call.world.apps.get(one.appId)));
      return counted(call, "available_custom_deployment_protection_rule_integrations", guards, (one) => ({
        id: one.id,
        slug: one.slug,
        integration_url: shapes.appShape(call.world, one).html_url,
        node_id: one.nodeId,
      }));
    },
  ),
];
