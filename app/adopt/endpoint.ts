/**
 * `POST /api/adopt`: takes up a page of open pull requests. Who asks proves with a token of GitHub's that they may
 * write to the repository; the token is shown to GitHub's API alone, and kept nowhere.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { z } from "zod";
import type { GitHubClient } from "../../src/github/port.ts";
import { requestFailure } from "../../src/github/request-failure.ts";
import { readTokenHolder } from "../../src/github/token-holder.ts";
import { answer, type Handler, pathOf, readBody } from "../webhook-endpoint.ts";
import { type AdoptOptions, adopt } from "./adopt.ts";

export interface AdoptEndpointOptions extends AdoptOptions {
  /** A client that shows this token to GitHub. */
  readonly withToken: (token: string) => GitHubClient;
  readonly log: Logger;
}

const LARGEST_BODY = 4_096;
/** More at once are told to come back: each costs requests to GitHub. */
const MOST_AT_ONCE = 4;
const RETRY_AFTER_S = 2;

const body = z.strictObject({
  repository: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,100}\/[A-Za-z0-9_.-]{1,100}$/u, "expected owner/name")
    .refine((text) => text.split("/").every((part) => part !== "." && part !== ".."), "expected owner/name"),
  after: z.string().max(500).nullable().default(null),
  dry_run: z.boolean().default(false),
});

/** Answers `POST /api/adopt`; returns false for all other paths. */
export function adoptEndpoint(options: AdoptEndpointOptions): Handler {
  let going = 0;
  return async (request, response) => {
    if (pathOf(request) !== "/api/adopt") {
      return false;
    }
    if (request.method !== "POST") {
      response.setHeader("allow", "POST");
      return answer(response, 405, { error: "Pull requests are taken up with POST." });
    }
    if (going >= MOST_AT_ONCE) {
      return busy(response, RETRY_AFTER_S, "Others are being served; ask again.");
    }
    going += 1;
    try {
      return await serve(options, request, response);
    } catch (error) {
      const failure = requestFailure(error, options.now());
      options.log.warn({ err: error }, "pull requests could not be taken up");
      return busy(
        response,
        Math.ceil((failure.retryAfterMs ?? 5_000) / 1000),
        `GitHub could not be asked: ${failure.message}`,
      );
    } finally {
      going -= 1;
    }
  };
}

async function serve(options: AdoptEndpointOptions, request: IncomingMessage, response: ServerResponse): Promise<true> {
  const { store, withToken, timings, log } = options;
  const token = /^(?:bearer|token) (?<token>[\x21-\x7e]{10,1000})$/iu.exec(request.headers.authorization ?? "")?.groups
    ?.token;
  if (token === undefined) {
    return answer(response, 401, { error: "Send a token of GitHub's as a bearer token." });
  }
  const bytes = await readBody(request, LARGEST_BODY);
  if (!Buffer.isBuffer(bytes)) {
    response.setHeader("connection", "close");
    return answer(response, 413, { error: `The request has at most ${LARGEST_BODY} bytes.` });
  }
  const asked = body.safeParse(parsed(bytes.toString("utf8")));
  if (!asked.success) {
    return answer(response, 400, { error: `Expected {"repository": "owner/name"}: ${z.prettifyError(asked.error)}` });
  }
  const { repository: fullName, after, dry_run: dryRun } = asked.data;
  const [owner = "", name = ""] = fullName.split("/");
  const signal = AbortSignal.timeout(timings.requestTimeout);
  const holder = await readTokenHolder(withToken(token), { owner, name }, signal);
  if (!holder.seen) {
    return holder.refused === "token"
      ? answer(response, 401, { error: "GitHub does not accept this token." })
      : answer(response, 404, { error: `GitHub does not show ${fullName} to this token.` });
  }
  if (!holder.mayWrite) {
    return answer(response, 403, { error: `Write permission on ${fullName} is needed.` });
  }
  const by = holder.login ?? "somebody with write permission";
  const repository = await store.repository(holder.repositoryId);
  if (repository === null || repository.installationId === null) {
    return answer(response, 404, { error: `The app is not installed on ${fullName}.` });
  }
  const { installationId } = repository;
  const adopted = await adopt(options, {
    repository: { ...repository, installationId },
    by,
    after,
    dryRun,
  });
  if (adopted === null) {
    return answer(response, 404, { error: `GitHub does not show ${fullName} to the app.` });
  }
  log.info({ repository: fullName, by, dryRun, adopted: adopted.adopted.length }, "asked to take up");
  return answer(response, 200, { repository: fullName, dry_run: dryRun, ...adopted });
}

function busy(response: ServerResponse, seconds: number, error: string): true {
  response.setHeader("retry-after", `${seconds}`);
  return answer(response, 503, { error });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
