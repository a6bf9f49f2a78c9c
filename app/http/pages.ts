/** What the app tells who runs it: what it knows of a pull request, what is overdue, set aside or given up. */
import type { Logger } from "pino";
import { z } from "zod";
import { audit } from "../audit/audit.ts";
import type { Store } from "../store/model.ts";
import type { Inbox } from "../webhooks/inbox.ts";
import { pullsSetAside, takeUpAgain } from "../work/in-progress/set-aside.ts";
import { notLocal } from "./local-caller.ts";
import { saidToOthers } from "./monitoring.ts";
import { overduePage } from "./overdue.ts";
import { answer, type Handler, pathOf } from "./webhook.ts";

export interface PagesOptions {
  readonly store: Store;
  readonly inbox: Pick<Inbox, "revive">;
  readonly now: () => number;
  readonly log: Logger;
  /** Told when a pull request is to be evaluated again. */
  readonly wake: () => void;
}

const HISTORY_PAGE = 100;
const DEAD_PAGE = 50;
const SET_ASIDE_PAGE = 1_000;
const LOCAL_PAGES: ReadonlySet<string> = new Set(["/api/overdue", "/api/deliveries/dead", "/api/pulls/set-aside"]);
const pageNumber = z.coerce.number().int().positive().optional().catch(undefined);

/**
 * For callers on this machine `/api/overdue`, `/api/pulls/{owner}/{repo}/{number}`, `/api/pulls/set-aside` and
 * `/api/deliveries/dead`.
 */
export function pages(options: PagesOptions): Handler {
  const { store, inbox, now, log, wake } = options;
  return async (request, response) => {
    const path = pathOf(request);
    const pull =
      /^\/api\/pulls\/(?<owner>[^/]{1,100})\/(?<name>[^/]{1,100})\/(?<number>\d{1,9})(?<retry>\/retry)?$/u.exec(
        path,
      )?.groups;
    const revived = /^\/api\/deliveries\/dead\/(?<id>[\w-]{1,200})\/retry$/u.exec(path)?.groups;
    if (pull === undefined && revived === undefined && !LOCAL_PAGES.has(path)) {
      return false;
    }
    // These tell of private repositories, and there is no sign-in: only for who is on this machine.
    const foreign = notLocal(request);
    if (foreign !== null) {
      return answer(response, 403, { error: saidToOthers(foreign) });
    }
    const query = new URL(request.url ?? "/", "http://localhost").searchParams;
    if (pull?.retry !== undefined && request.method === "POST") {
      const repository = await store.repositoryByName(pull.owner ?? "", pull.name ?? "");
      const id = { repositoryId: repository?.id ?? 0, number: Number(pull.number) };
      if (repository === null || !(await takeUpAgain(store, id, now))) {
        return answer(response, 404, { error: "There is no such pull request that is set aside." });
      }
      wake();
      const name = `${repository.owner}/${repository.name}`;
      audit(log, "pull.taken_up_again", { repository: name, pull: id.number, by: "operator" });
      return answer(response, 202, { retried: id.number });
    }
    if (path === "/api/pulls/set-aside" && request.method === "GET") {
      return answer(response, 200, { items: await setAsidePage(store) });
    }
    if (pull !== undefined && pull.retry === undefined && request.method === "GET") {
      const after = pageNumber.parse(query.get("after") ?? undefined);
      const found = await pullPage(store, pull.owner ?? "", pull.name ?? "", Number(pull.number), after);
      return found === null
        ? answer(response, 404, { error: "Nothing is known of that." })
        : answer(response, 200, found);
    }
    if (path === "/api/overdue" && request.method === "GET") {
      const found = await overduePage(store, now(), query.get("after"));
      return found === null
        ? answer(response, 400, { error: "after: expected the next of an earlier page." })
        : answer(response, 200, found);
    }
    if (path === "/api/deliveries/dead" && request.method === "GET") {
      return answer(
        response,
        200,
        await store.deadDeliveries(DEAD_PAGE, pageNumber.parse(query.get("before") ?? undefined)),
      );
    }
    if (revived !== undefined && request.method === "POST") {
      const done = await inbox.revive(revived.id ?? "");
      if (done) {
        audit(log, "delivery.retried", { by: "operator", delivery: revived.id });
      }
      return answer(
        response,
        done ? 202 : 404,
        done ? { retried: revived.id } : { error: "There is no such dead delivery." },
      );
    }
    return answer(response, 405, { error: "Not allowed here." });
  };
}

async function pullPage(store: Store, owner: string, name: string, number: number, after: number | undefined) {
  const repository = await store.repositoryByName(owner, name);
  const pull = repository === null ? null : await store.pull({ repositoryId: repository.id, number });
  if (repository === null || pull === null) {
    return null;
  }
  const { facts, confirmed, evaluation, intent, intentAt, blocked, version } = pull;
  const history = await store.history(pull, HISTORY_PAGE, after);
  return {
    repository: `${repository.owner}/${repository.name}`,
    number,
    title: facts.title,
    state: facts.state,
    draft: facts.draft,
    head: facts.head.sha,
    stage: confirmed?.stage ?? null,
    evaluation,
    moving: intent === null || intentAt === null ? null : { ...intent, nextAt: intentAt },
    blocked,
    checks: confirmed?.checks ?? [],
    version,
    history: history.items,
    nextHistory: history.next,
  };
}

async function setAsidePage(store: Store) {
  const found = await pullsSetAside(store, SET_ASIDE_PAGE);
  return await Promise.all(
    found.map(async ({ repositoryId, number, blocked }) => {
      const repository = await store.repository(repositoryId);
      const name = repository === null ? null : `${repository.owner}/${repository.name}`;
      return { repository: name, number, at: blocked?.at ?? null, reason: blocked?.reason ?? null };
    }),
  );
}
