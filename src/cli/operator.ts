/**
 * `stagewright inbox` and `stagewright effects`: what the app could not do, listed and tried again, for whoever is on the
 * app's machine. The app answers this to callers on its own machine only.
 */
import { z } from "zod";
import { clip, oneLine } from "../report/escape.ts";
import { EXIT, type ExitCode, UsageError } from "./exit.ts";

export interface OperatorOptions {
  /** The app's address on this machine; default: `http://localhost:` and PORT or 3000. */
  readonly app?: string;
  readonly all?: boolean;
  readonly json?: boolean;
  /** The most that are listed. */
  readonly limit?: number;
}

const TIMEOUT_MS = 30_000;
const DEFAULT_LIMIT = 1_000;
/** Pages that are asked for, however small they are. */
const MOST_PAGES = 10_000;
const LONGEST_REASON = 300;

const refusal = z.object({ error: z.string() });
const delivery = z
  .object({
    id: z.string(),
    event: z.string(),
    key: z.string(),
    tries: z.number(),
    error: z.string().nullable(),
    receivedAt: z.number(),
  })
  .transform((each) => ({ ...each, receivedAt: new Date(each.receivedAt).toISOString() }));
const effect = z.object({
  id: z.number(),
  kind: z.string(),
  repository: z.string().nullable(),
  pull: z.number(),
  tries: z.number(),
  error: z.string().nullable(),
  code: z.string().nullable(),
});

interface Kind<T> {
  readonly path: string;
  readonly what: string;
  readonly schema: z.ZodType<T>;
  readonly id: RegExp;
  readonly idOf: (item: T) => string;
  readonly lineOf: (item: T) => string;
}

const INBOX: Kind<z.output<typeof delivery>> = {
  path: "api/deliveries/dead",
  what: "webhooks that could not be handled",
  schema: delivery,
  id: /^[\w-]{1,200}$/u,
  idOf: ({ id }) => id,
  lineOf: ({ id, event, key, receivedAt, tries, error }) =>
    `${id} ${receivedAt} ${event} ${key} ${tries} tries: ${error ?? "no reason is known"}`,
};
const EFFECTS: Kind<z.output<typeof effect>> = {
  path: "api/effects/dead",
  what: "effects that were given up",
  schema: effect,
  id: /^\d{1,15}$/u,
  idOf: ({ id }) => `${id}`,
  lineOf: ({ id, kind, repository, pull, code, error }) =>
    `${id} ${kind} ${repository ?? "?"}#${pull} ${code ?? "?"}: ${error ?? "no reason is known"}`,
};

/** Exit 1: the app did not answer, or refused. @throws UsageError */
export async function inbox(
  what: string,
  ids: readonly string[],
  options: OperatorOptions,
  env: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  return await carryOut(INBOX, what, ids, options, env);
}

/** Exit 1: the app did not answer, or refused. @throws UsageError */
export async function effects(
  what: string,
  ids: readonly string[],
  options: OperatorOptions,
  env: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  return await carryOut(EFFECTS, what, ids, options, env);
}

async function carryOut<T>(
  kind: Kind<T>,
  what: string,
  ids: readonly string[],
  options: OperatorOptions,
  env: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  const app = addressOf(options.app, env);
  if (what === "list") {
    if (ids.length > 0 || options.all === true) throw new UsageError("list takes no ids and no --all");
    return await answering(() => list(kind, app, options));
  }
  if (what !== "retry") throw new UsageError(`${oneLine(what)}: expected list or retry`);
  if ((ids.length === 0) === (options.all !== true)) throw new UsageError("retry: expected ids, or --all");
  const wrong = ids.find((id) => !kind.id.test(id));
  if (wrong !== undefined)
    throw new UsageError(`${clip(oneLine(wrong), LONGEST_REASON)}: expected an id, as list shows it`);
  return await answering(() => retry(kind, app, ids, options));
}

/** It has been said why. */
class Unanswered extends Error {}

async function answering(work: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    process.stderr.write(`stagewright: ${oneLine(error.message)}\n`);
    return EXIT.failure;
  }
}

async function list<T>(kind: Kind<T>, app: URL, { json, limit = DEFAULT_LIMIT }: OperatorOptions): Promise<ExitCode> {
  const items: T[] = [];
  let more = false;
  for await (const item of listed(kind, app)) {
    more = items.length === limit;
    if (more) break;
    items.push(item);
  }
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ items, more })}\n`);
    return EXIT.success;
  }
  for (const item of items) process.stdout.write(`${oneLine(kind.lineOf(item)).slice(0, 1_000)}\n`);
  process.stderr.write(
    items.length === 0 ? `no ${kind.what}\n` : `${items.length} ${kind.what}${more ? ", and more: see --limit" : ""}\n`,
  );
  return EXIT.success;
}

async function retry<T>(
  kind: Kind<T>,
  app: URL,
  ids: readonly string[],
  { all, json }: OperatorOptions,
): Promise<ExitCode> {
  const asked = all === true ? [] : [...new Set(ids)];
  // All of them first: one that is given up again at once is not tried without end.
  if (all === true) for await (const item of listed(kind, app)) asked.push(kind.idOf(item));
  const retried: string[] = [];
  const failed: { id: string; reason: string }[] = [];
  for (const id of asked) {
    const answer = await ask(new URL(`${kind.path}/${id}/retry`, app), "POST");
    if (answer.ok) retried.push(id);
    else failed.push({ id, reason: clip(oneLine(answer.reason), LONGEST_REASON) });
  }
  for (const { id, reason } of failed) process.stderr.write(`${id}: ${reason}\n`);
  process.stdout.write(
    json === true ? `${JSON.stringify({ retried, failed })}\n` : `${retried.length} are tried again\n`,
  );
  return failed.length === 0 ? EXIT.success : EXIT.failure;
}

async function* listed<T>(kind: Kind<T>, app: URL): AsyncGenerator<T> {
  const page = z.object({ items: z.array(kind.schema), next: z.number().nullable() });
  let before: number | null = null;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const url: URL = new URL(`${kind.path}${before === null ? "" : `?before=${before}`}`, app);
    const answer = await ask(url, "GET");
    if (!answer.ok) throw new Unanswered(answer.reason);
    const read: z.ZodSafeParseResult<z.output<typeof page>> = page.safeParse(answer.body);
    if (!read.success) throw new Unanswered(`${url.origin} answered something else: is it the address of the app?`);
    yield* read.data.items;
    if (read.data.next === null) return;
    before = read.data.next;
  }
}

type Answered = { readonly ok: true; readonly body: unknown } | { readonly ok: false; readonly reason: string };

/** @throws Unanswered where nobody answers */
async function ask(url: URL, method: "GET" | "POST"): Promise<Answered> {
  try {
    const response = await fetch(url, { method, redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body: unknown = await response.json().catch(() => null);
    if (response.ok) return { ok: true, body };
    const told = refusal.safeParse(body);
    return { ok: false, reason: told.success ? told.data.error : `${url.origin} answered ${response.status}` };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new Unanswered(`${url.origin} could not be reached: ${cause}; is the app running on this machine?`);
  }
}

function addressOf(app: string | undefined, env: NodeJS.ProcessEnv): URL {
  const text = app ?? `http://localhost:${env.PORT || 3000}`;
  if (!URL.canParse(text)) throw new UsageError("--app: expected the app's address, such as http://localhost:3000");
  const url = new URL(text);
  if (url.protocol !== "http:" || !["localhost", "127.0.0.1", "[::1]"].includes(url.hostname)) {
    throw new UsageError("--app: expected http:// and this machine: the app answers this to nobody else");
  }
  return new URL(url.href.endsWith("/") ? url : `${url.href}/`);
}
