/** The app's own settings, read from the environment by its entry; Probot reads APP_ID, PRIVATE_KEY and its like. */
import { z } from "zod";
import { GITHUB_ISSUER } from "../src/coordinator/admission/admission.ts";
import { DEFAULT_QUOTAS, type QuotaLimits, type ScopeLimits } from "../src/coordinator/admission/quotas.ts";
import { reachableHost } from "../src/coordinator/client/addresses.ts";
import { joinAddress } from "../src/plan/parsing/address.ts";
import { suggestion } from "../src/plan/parsing/problems.ts";
import { readSignCommand } from "./github-cache/sign-command.ts";
import { KEEP_DAYS_EXPECTED, namedNumbers, readKeepDays, readWaits, WAITS_EXPECTED } from "./settings/named-numbers.ts";
import { weakness } from "./settings/secrets.ts";
import {
  secretsOfEnvironment,
  secretsOfFile,
  UnusableSecrets,
  type WebhookSecrets,
} from "./settings/webhook-secrets.ts";
import { DEFAULT_DATABASE_URL } from "./store/open.ts";
import { DEFAULT_TIMINGS, type Timings } from "./work/timings.ts";

export interface Config {
  readonly webhookSecrets: WebhookSecrets;
  readonly webhookPath: string;
  readonly databaseUrl: string;
  readonly host: string;
  readonly port: number;
  /** Where agents and people reach this app; null: it hosts no runs. */
  readonly publicUrl: string | null;
  /** Who issues the OIDC tokens of the jobs that may join runs. */
  readonly oidcIssuer: string;
  /** Where other processes on the same database reach this one; null: nowhere. */
  readonly replicaAddress: string | null;
  /** GitHub's REST API, without a slash at the end. */
  readonly apiUrl: string;
  readonly timings: Timings;
  /** What one repository, installation and workflow run may have of the runs that are hosted. */
  readonly quotas: QuotaLimits;
  /** What the bodies of webhooks may hold before they are known to be GitHub's. Bytes. */
  readonly webhookMemory: number;
  /** At once. */
  readonly connections: number;
  /** Lets callers elsewhere read the metrics; null: only callers on this machine do. */
  readonly metricsToken: string | null;
  /** Where a listener of its own serves health and metrics; null: there is none. */
  readonly metricsAddress: ListenAddress | null;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Where GitHub sends webhooks unless it is told otherwise: Probot's path. */
export const WEBHOOK_PATH = "/api/github/webhooks";

/** A setting is missing or wrong; each line says what to do. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const text = z
  .string()
  .trim()
  .optional()
  .transform((value) => (value === undefined || value === "" ? undefined : value));
/** A setting that may be left out; else `read` gives its value, or undefined where it is none. */
const setting = <T>(expected: string, read: (value: string) => T | undefined) =>
  text.transform((value, context): T | undefined => {
    if (value === undefined) {
      return undefined;
    }
    const found = read(value);
    if (found === undefined) {
      context.addIssue({ code: "custom", message: `${quoted(value)}; expected ${expected}` });
      return z.NEVER;
    }
    return found;
  });
/** A whole number within bounds. */
const whole = (least: number, most: number) =>
  setting(`a whole number from ${least} to ${most}`, (value) => {
    const number = Number(value);
    return Number.isInteger(number) && number >= least && number <= most ? number : undefined;
  });
const word = <T extends string>(words: readonly T[]) =>
  setting(words.join(", "), (value) => words.find((each) => each === value));
const matching = (pattern: RegExp, expected: string) =>
  setting(expected, (value) => (pattern.test(value) ? value : undefined));
const address = setting("an address with http:// or https://", (value) =>
  /^https?:\/\/[^\s?#]+$/u.test(value) && URL.canParse(value) ? value.replace(/(?<!\/)\/+$/u, "") : undefined,
);
/** `host:port`, `[::1]:port`. */
const listenAddress = setting("an address to listen at, such as 0.0.0.0:9464", (value) => {
  const { host, port } = /^(?<host>[\w.-]+|\[[0-9a-f:]+\]):(?<port>\d{1,5})$/iu.exec(value)?.groups ?? {};
  return host === undefined || Number(port) > 65_535
    ? undefined
    : { host: host.replace(/^\[|\]$/gu, ""), port: Number(port) };
});
/** `runs=100, agents=512`: those that are named, instead of the defaults. */
const scopeLimits = (defaults: ScopeLimits) =>
  setting(`name=number, separated by commas; names are ${Object.keys(defaults).join(", ")}`, (value) =>
    namedNumbers({ ...defaults }, value, (_, number) => number >= 1),
  );
/** Everything that the app reads from its environment but the private key, which may be a file. */
const settings = z.object({
  APP_ID: setting("the number in the app's settings on GitHub", (value) => {
    const number = Number(value);
    return Number.isSafeInteger(number) && number > 0 ? number : undefined;
  }),
  SIGN_COMMAND: setting(
    'a JSON list of a program and its arguments, ["sign", "--key", "app"], or one path',
    readSignCommand,
  ),
  WEBHOOK_SECRET: text,
  WEBHOOK_SECRET_FILE: text,
  WEBHOOK_PATH: matching(/^\/[\w./~-]*$/u, "a path, such as /api/github/webhooks"),
  WEBHOOK_PROXY_URL: address,
  DATABASE_URL: text,
  HOST: matching(/^[\w.:-]+$/u, "a host name or an address"),
  PORT: whole(0, 65_535),
  PUBLIC_URL: address,
  OIDC_ISSUER: address,
  GHE_HOST: matching(/^(?:[\w.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?$/iu, "a host name alone, such as github.example.com"),
  GHE_PROTOCOL: word(["http", "https"]),
  GH_ORG: matching(/^[a-z\d][a-z\d-]{0,99}$/iu, "the name of an organization on GitHub"),
  LOG_LEVEL: word(LOG_LEVELS),
  LOG_FORMAT: word(["pretty", "json"]),
  METRICS_TOKEN: text,
  METRICS_ADDRESS: listenAddress,
  REPLICA_ADDRESS: matching(
    /^(?:https?:\/\/)?(?:[\w.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?$/iu,
    "host:port, or an address with http:// or https://",
  ),
  STAGEWRIGHT_MANIFEST: word(["minimal", "full"]),
  STAGEWRIGHT_WRITE_INTERVAL_MS: whole(0, 3_600_000),
  STAGEWRIGHT_RETRY_PAUSE_MS: whole(0, 3_600_000),
  STAGEWRIGHT_SWEEP_MINUTES: whole(1, 10_080),
  STAGEWRIGHT_SWEEP_IDLE_MINUTES: whole(1, 1_440),
  STAGEWRIGHT_KEEP_DAYS: setting(KEEP_DAYS_EXPECTED, readKeepDays),
  STAGEWRIGHT_WAIT_SECONDS: setting(WAITS_EXPECTED, readWaits),
  STAGEWRIGHT_REPOSITORY_LIMITS: scopeLimits(DEFAULT_QUOTAS.repository),
  STAGEWRIGHT_INSTALLATION_LIMITS: scopeLimits(DEFAULT_QUOTAS.installation),
  STAGEWRIGHT_WORKFLOW_RUN_GROUPS: whole(1, 100_000),
  STAGEWRIGHT_WEBHOOK_MEMORY: whole(64, 1_000_000),
  STAGEWRIGHT_CONNECTIONS: whole(10, 1_000_000),
});

export type Settings = z.infer<typeof settings>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Each setting by its name. Throws a ConfigError with a line for each that is wrong. */
export function readSettings(env: Environment): Settings {
  const parsed = settings.safeParse(env);
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map(({ path, message }) => `${path.join(".")} is ${message}.`).join("\n"),
    );
  }
  return parsed.data;
}

/** A line for each variable that looks like a setting of ours and is none. */
export function misspelt(env: Environment): string[] {
  const known = Object.keys(settings.shape).filter((name) => name.startsWith(PREFIX));
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name) && !OTHERS.test(name))
    .toSorted()
    .map((name) => `${name} is set, and the app has no such setting${suggestion(name, known)}`);
}

const PREFIX = "STAGEWRIGHT_";
/** What the command and the action read, or commands are given: an app beside them may see these. */
const OTHERS =
  /^STAGEWRIGHT_(?:COORDINATOR_SECRET|EVENTS|CONTEXT|HOSTFILE|TASK|RUN|STAGE|ATTEMPT|ROLE|ROLE_INDEX|AGENT_(?:NAME|INDEX|COUNT)|PARTITION_(?:START|END)|(?:PARAM|OUTPUT|ADDRESS)_\w+)$/u;

/** Values are shown as they were given, but not endlessly. */
function quoted(value: string): string {
  return `“${value.length > LONGEST_QUOTE ? `${value.slice(0, LONGEST_QUOTE)}…` : value}”`;
}

const LONGEST_QUOTE = 100;

const MOST_RETRY_PAUSE = 30_000;
/** MiB: five of the largest payloads. */
const DEFAULT_WEBHOOK_MEMORY = 128;
/** Two of each agent: ten thousand agents. */
const DEFAULT_CONNECTIONS = 20_000;

/** Throws a ConfigError that lists everything wrong at once. */
export function readConfig(env: Environment): Config {
  const data = readSettings(env);
  const metricsToken = data.METRICS_TOKEN ?? null;
  const weakToken = metricsToken === null ? null : weakness(metricsToken);
  if (weakToken !== null) {
    throw new ConfigError(
      `METRICS_TOKEN ${weakToken}: anybody could guess it. Make one with \`openssl rand -hex 32\`.`,
    );
  }
  const pause = data.STAGEWRIGHT_RETRY_PAUSE_MS;
  return {
    webhookSecrets: webhookSecrets(data),
    webhookPath: data.WEBHOOK_PATH ?? WEBHOOK_PATH,
    databaseUrl: data.DATABASE_URL ?? DEFAULT_DATABASE_URL,
    ...listensAt(data),
    publicUrl: data.PUBLIC_URL ?? null,
    oidcIssuer: data.OIDC_ISSUER ?? (data.GHE_HOST ? `https://${data.GHE_HOST}/_services/token` : GITHUB_ISSUER),
    // As Probot makes it of the same settings.
    quotas: {
      repository: data.STAGEWRIGHT_REPOSITORY_LIMITS ?? DEFAULT_QUOTAS.repository,
      installation: data.STAGEWRIGHT_INSTALLATION_LIMITS ?? DEFAULT_QUOTAS.installation,
      workflowRun: data.STAGEWRIGHT_WORKFLOW_RUN_GROUPS ?? DEFAULT_QUOTAS.workflowRun,
    },
    webhookMemory: (data.STAGEWRIGHT_WEBHOOK_MEMORY ?? DEFAULT_WEBHOOK_MEMORY) * 1024 * 1024,
    connections: data.STAGEWRIGHT_CONNECTIONS ?? DEFAULT_CONNECTIONS,
    metricsToken,
    metricsAddress: data.METRICS_ADDRESS ?? null,
    replicaAddress: data.REPLICA_ADDRESS ?? reachedAt(data),
    apiUrl: apiUrl(data),
    timings: {
      ...DEFAULT_TIMINGS,
      ...data.STAGEWRIGHT_WAIT_SECONDS,
      sweepEvery:
        data.STAGEWRIGHT_SWEEP_MINUTES === undefined
          ? DEFAULT_TIMINGS.sweepEvery
          : data.STAGEWRIGHT_SWEEP_MINUTES * 60_000,
      sweepIdle:
        data.STAGEWRIGHT_SWEEP_IDLE_MINUTES === undefined
          ? DEFAULT_TIMINGS.sweepIdle
          : data.STAGEWRIGHT_SWEEP_IDLE_MINUTES * 60_000,
      keep: data.STAGEWRIGHT_KEEP_DAYS ?? DEFAULT_TIMINGS.keep,
      writeInterval: data.STAGEWRIGHT_WRITE_INTERVAL_MS ?? DEFAULT_TIMINGS.writeInterval,
      retryPauses:
        pause === undefined
          ? DEFAULT_TIMINGS.retryPauses
          : [1, 2, 4].map((factor) => Math.min(pause * factor, MOST_RETRY_PAUSE)),
    },
  };
}

/** @throws ConfigError */
function webhookSecrets({ WEBHOOK_SECRET, WEBHOOK_SECRET_FILE }: Settings): WebhookSecrets {
  if (WEBHOOK_SECRET !== undefined && WEBHOOK_SECRET_FILE !== undefined) {
    throw new ConfigError("WEBHOOK_SECRET and WEBHOOK_SECRET_FILE are both set: leave one of them out.");
  }
  try {
    if (WEBHOOK_SECRET_FILE !== undefined) {
      return secretsOfFile(WEBHOOK_SECRET_FILE);
    }
    if (WEBHOOK_SECRET !== undefined) {
      return secretsOfEnvironment(WEBHOOK_SECRET);
    }
  } catch (error) {
    throw error instanceof UnusableSecrets ? new ConfigError(error.message, { cause: error }) : error;
  }
  throw new ConfigError(
    "WEBHOOK_SECRET is missing: set it (or WEBHOOK_SECRET_FILE) to the secret of the app's settings on GitHub, at least 20 random characters.",
  );
}

export function listensAt({ HOST, PORT }: Settings): ListenAddress {
  return { host: HOST ?? "localhost", port: PORT ?? 3000 };
}

/** GitHub as browsers see it, without a slash at the end. */
export function githubUrl({ GHE_HOST, GHE_PROTOCOL }: Settings): string {
  return GHE_HOST === undefined ? "https://github.com" : `${GHE_PROTOCOL ?? "https"}://${GHE_HOST}`;
}

/** GitHub's REST API, without a slash at the end. */
export function apiUrl(data: Settings): string {
  return data.GHE_HOST === undefined ? "https://api.github.com" : `${githubUrl(data)}/api/v3`;
}

/** This machine's first address in a network; null: the port is not known before the app listens. */
function reachedAt(data: Settings): string | null {
  const { host, port } = listensAt(data);
  return port === 0 ? null : joinAddress(reachableHost(host), port);
}
