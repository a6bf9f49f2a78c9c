/** Effects that were given up, for callers on the app's machine: `/api/effects/dead`, `POST …/{id}/retry`. */
import type { Logger } from "pino";
import { z } from "zod";
import { audit } from "../audit/audit.ts";
import type { Effect, Repository, Store } from "../store/model.ts";
import { notLocal } from "./local-caller.ts";
import { saidToOthers } from "./monitoring.ts";
import { answer, type Handler, pathOf } from "./webhook.ts";

export interface DeadEffectsOptions {
  readonly store: Pick<Store, "deadEffects" | "reviveEffect" | "effect" | "repository">;
  readonly log: Logger;
  readonly now: () => number;
  /** Told when one is to be tried again. */
  readonly wake: () => void;
}

const PAGE = 50;
const pageStart = z.coerce.number().int().positive().optional().catch(undefined);

export function deadEffects({ store, log, now, wake }: DeadEffectsOptions): Handler {
  return async (request, response) => {
    const path = pathOf(request);
    const id = /^\/api\/effects\/dead\/(?<id>\d{1,15})\/retry$/u.exec(path)?.groups?.id;
    if (path !== "/api/effects/dead" && id === undefined) {
      return false;
    }
    const foreign = notLocal(request);
    if (foreign !== null) {
      return answer(response, 403, { error: saidToOthers(foreign) });
    }
    if (id === undefined && request.method === "GET") {
      const before = new URL(request.url ?? "/", "http://localhost").searchParams.get("before") ?? undefined;
      const { items, next } = await store.deadEffects(PAGE, pageStart.parse(before));
      const known = new Map<number, Repository | null>();
      for (const { repositoryId } of items) {
        known.set(repositoryId, known.get(repositoryId) ?? (await store.repository(repositoryId)));
      }
      return answer(response, 200, {
        items: items.map((each) => shown(each, known.get(each.repositoryId) ?? null)),
        next,
      });
    }
    if (id !== undefined && request.method === "POST") {
      const effect = await store.effect(Number(id));
      if (effect === null || !(await store.reviveEffect(effect.id, now()))) {
        return answer(response, 404, { error: "There is no such effect that was given up." });
      }
      wake();
      audit(log, "effect.retried", { by: "operator", effect: effect.id, pull: effect.number });
      return answer(response, 202, { retried: effect.id });
    }
    return answer(response, 405, { error: "Not allowed here." });
  };
}

/** What it says (a comment's text) is its pull request's own. */
function shown({ id, kind, number, tries, error, errorCode }: Effect, repository: Repository | null) {
  const name = repository === null ? null : `${repository.owner}/${repository.name}`;
  return { id, kind, repository: name, pull: number, tries, error, code: errorCode };
}
