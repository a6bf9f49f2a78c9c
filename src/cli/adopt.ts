/** `stagewright adopt`: asks the app to take up pull requests that were open before it was installed. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { oneLine } from "../report/escape.ts";
import { EXIT, type ExitCode, UsageError } from "./exit.ts";

export interface AdoptCommandOptions {
  /** The app's address. */
  readonly app: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** For one page of pull requests: GitHub is asked several times for it. */
const PAGE_TIMEOUT_MS = 60_000;
const MOST_TRIES = 5;
const FIRST_PAUSE_S = 2;
const LONGEST_PAUSE_S = 60;

const page = z.object({ adopted: z.array(z.number()), known: z.number(), next: z.string().nullable() });
const refusal = z.object({ error: z.string() });

type Answer =
  | { readonly kind: "page"; readonly page: z.infer<typeof page> }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "later"; readonly seconds: number | null; readonly reason: string };

/**
 * Prints each page's outcome on stderr and the sum on stdout. Exit 1: the app or GitHub refused, or did not answer.
 * @throws UsageError for an address, a name or a token that cannot be right
 */
export async function adopt(
  repository: string,
  options: AdoptCommandOptions,
  env: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  if (!/^[A-Za-z0-9_.-]{1,100}\/[A-Za-z0-9_.-]{1,100}$/u.test(repository)) {
    throw new UsageError(`${oneLine(repository)}: expected a repository as OWNER/NAME`);
  }
  const url = addressOf(options.app);
  const token = [env.GITHUB_TOKEN, env.GH_TOKEN].find((each) => each !== undefined && each !== "");
  if (token === undefined) {
    throw new UsageError("GITHUB_TOKEN: expected a token of somebody who may write to the repository");
  }
  const adopted: number[] = [];
  let known = 0;
  for (let after: string | null = null; ; ) {
    const answer = await persistently(url, token, { repository, after, dry_run: options.dryRun === true });
    if (answer.kind !== "page") {
      process.stderr.write(`stagewright: ${oneLine(answer.reason)}\n`);
      if (adopted.length > 0) process.stderr.write(`${adopted.length} were taken up before that.\n`);
      return EXIT.failure;
    }
    adopted.push(...answer.page.adopted);
    known += answer.page.known;
    after = answer.page.next;
    if (after === null) break;
    process.stderr.write(`${adopted.length + known} pull requests seen, ${adopted.length} of them new\n`);
  }
  const did = options.dryRun === true ? "would be taken up" : "taken up";
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ repository, dry_run: options.dryRun === true, adopted, known })}\n`
      : `${repository}: ${adopted.length} ${did}${numbers(adopted)}, ${known} already known\n`,
  );
  return EXIT.success;
}

function numbers(adopted: readonly number[]): string {
  const shown = adopted.slice(0, 20).map((number) => `#${number}`);
  return shown.length === 0 ? "" : ` (${shown.join(", ")}${adopted.length > shown.length ? ", …" : ""})`;
}

function addressOf(app: string): URL {
  if (!URL.canParse(app))
    throw new UsageError("--app: expected the app's address, such as https://stagewright.example");
  const url = new URL(app);
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && local)) {
    throw new UsageError("--app: expected https: your token is sent there");
  }
  return new URL("api/adopt", url.href.endsWith("/") ? url : `${url.href}/`);
}

async function persistently(url: URL, token: string, body: unknown): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask(url, token, body);
    if (answer.kind !== "later" || tries === MOST_TRIES) return answer;
    const seconds = Math.min(answer.seconds ?? FIRST_PAUSE_S * 2 ** (tries - 1), LONGEST_PAUSE_S);
    process.stderr.write(`${oneLine(answer.reason)}; trying again in ${seconds} s\n`);
    await sleep(seconds * 1000);
  }
}

async function ask(url: URL, token: string, body: unknown): Promise<Answer> {
  let response: Response;
  let json: unknown;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      // The token goes where it was told to go, and nowhere else.
      redirect: "error",
      signal: AbortSignal.timeout(PAGE_TIMEOUT_MS),
    });
    json = await response.json().catch(() => null);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    const reason = `${url.origin} could not be reached: ${cause}; is the app running, and is this its address?`;
    // A port that nobody may speak to stays one.
    return cause === "bad port" ? { kind: "refused", reason } : { kind: "later", seconds: null, reason };
  }
  if (response.ok) {
    const read = page.safeParse(json);
    return read.success
      ? { kind: "page", page: read.data }
      : { kind: "refused", reason: `${url.origin} answered something else: is it the address of the app?` };
  }
  const told = refusal.safeParse(json);
  const reason = told.success ? told.data.error : `${url.origin} answered ${response.status}`;
  if (response.status !== 429 && response.status < 500) return { kind: "refused", reason };
  const after = Number(response.headers.get("retry-after") ?? Number.NaN);
  return { kind: "later", seconds: Number.isFinite(after) ? after : null, reason };
}
