/**
 * `POST /api/adopt`: takes up a page of open pull requests. Who asks proves with a token of GitHub's that they may
 * write to the repository; the token is shown to GitHub's API alone, and kept nowhere. Only GitHub knows whose it is: so
 * what strangers send is small, comes at once, and is not asked about often.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { z } from "zod";
import { BodyIntake, BodyLost, saysJson } from "../../src/coordinator/server/body-intake.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { requestFailure } from "../../src/github/request-failure.ts";
import { readTokenHolder, type TokenHolder } from "../../src/github/token-holder.ts";
import { SingleFlight } from "../../src/single-flight.ts";
import { audit } from "../audit/audit.ts";
import { type AdoptionOptions, adoptPage } from "../reconciliation/adoption.ts";
import { Strikes } from "./refused-tokens.ts";
import { answer, type Handler, pathOf, refuseBody } from "./webhook.ts";

export interface AdoptEndpointOptions extends AdoptionOptions {
  /** A client that shows this token to GitHub. */
  readonly withToken: (token: string) => Promise<GitHubClient>;
  readonly log: Logger;
  /** Told of each refusal. */
  readonly onRefused?: (reason: "token" | "busy" | "body") => void;
}

const LARGEST_BODY = 4_096;
const INTAKE = { bytes: 4 * 1024 * 1024, bytesPerAddress: 1024 * 1024, deadlineMs: 5_000, leastRate: 1_024 };
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
type Asked = z.infer<typeof body>;

/** Answers `POST /api/adopt`; returns false for all other paths. */
export function adoptEndpoint(options: AdoptEndpointOptions): Handler {
  const { withToken, timings, onRefused } = options;
  const intake = new BodyIntake(INTAKE);
  const strikes = new Strikes(options.now);
  const asking = new SingleFlight<string, TokenHolder>();
  let going = 0;

  const askedFor = async (request: IncomingMessage): Promise<z.ZodSafeParseResult<Asked>> =>
    await intake.take(request, { most: LARGEST_BODY }, (bytes) => body.safeParse(parsed(bytes.toString("utf8"))));

  const holderOf = async (token: string, repository: string): Promise<TokenHolder> => {
    const [owner = "", name = ""] = repository.split("/");
    const key = createHash("sha256").update(`${repository} ${token}`).digest("base64");
    return await asking.share(key, async () =>
      readTokenHolder(await withToken(token), { owner, name }, AbortSignal.timeout(timings.requestTimeout)),
    );
  };

  const serve = async (token: string, asked: Asked, address: string, response: ServerResponse): Promise<true> => {
    const holder = await holderOf(token, asked.repository);
    if (!holder.seen) {
      strikes.strike(address);
      onRefused?.("token");
      return holder.refused === "token"
        ? answer(response, 401, { error: "GitHub does not accept this token." })
        : answer(response, 404, { error: `GitHub does not show ${asked.repository} to this token.` });
    }
    if (!holder.mayWrite) {
      onRefused?.("token");
      return answer(response, 403, { error: `Write permission on ${asked.repository} is needed.` });
    }
    return await takeUp(options, holder, asked, response);
  };

  return async (request, response) => {
    if (pathOf(request) !== "/api/adopt") {
      return false;
    }
    if (request.method !== "POST") {
      response.setHeader("allow", "POST");
      return answer(response, 405, { error: "Pull requests are taken up with POST." });
    }
    const token = /^(?:bearer|token) (?<token>[\x21-\x7e]{10,1000})$/iu.exec(request.headers.authorization ?? "")
      ?.groups?.token;
    if (token === undefined) {
      return answer(response, 401, { error: "Send a token of GitHub's as a bearer token." });
    }
    if (!saysJson(request)) {
      onRefused?.("body");
      return answer(response, 415, { error: "Send application/json." });
    }
    const address = request.socket.remoteAddress ?? "";
    const restMs = strikes.restOf(address);
    if (restMs > 0) {
      onRefused?.("busy");
      response.setHeader("retry-after", Math.ceil(restMs / 1_000));
      return answer(response, 429, { error: "GitHub has refused many tokens from here; ask again later." });
    }
    let asked: z.ZodSafeParseResult<Asked>;
    try {
      asked = await askedFor(request);
    } catch (error) {
      if (!(error instanceof BodyLost)) {
        throw error;
      }
      onRefused?.("body");
      return refuseBody(response, error);
    }
    if (!asked.success) {
      onRefused?.("body");
      return answer(response, 400, { error: `Expected {"repository": "owner/name"}: ${z.prettifyError(asked.error)}` });
    }
    if (going >= MOST_AT_ONCE) {
      onRefused?.("busy");
      return busy(response, RETRY_AFTER_S, "Others are being served; ask again.");
    }
    going += 1;
    try {
      return await serve(token, asked.data, address, response);
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

async function takeUp(
  options: AdoptEndpointOptions,
  holder: Extract<TokenHolder, { seen: true }>,
  { repository: fullName, after, dry_run: dryRun }: Asked,
  response: ServerResponse,
): Promise<true> {
  const by = holder.login ?? "somebody with write permission";
  const repository = await options.store.repository(holder.repositoryId);
  if (repository === null || repository.installationId === null) {
    return answer(response, 404, { error: `The app is not installed on ${fullName}.` });
  }
  const { installationId } = repository;
  const adopted = await adoptPage(options, {
    repository: { ...repository, installationId },
    by,
    after,
    dryRun,
  });
  if (adopted === null) {
    return answer(response, 404, { error: `GitHub does not show ${fullName} to the app.` });
  }
  if (!dryRun) {
    audit(options.log, "pulls.adopted", { repository: fullName, by: { login: by }, count: adopted.adopted.length });
  }
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
