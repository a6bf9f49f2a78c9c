/** The app's own settings, read from the environment by its entry; Probot reads APP_ID, PRIVATE_KEY and its like. */
import { z } from "zod";
import { GITHUB_ISSUER } from "../src/coordinator/admission.ts";
import { DEFAULT_QUOTAS, type QuotaLimits, type ScopeLimits } from "../src/coordinator/quotas.ts";
import { DEFAULT_DATABASE_URL } from "./store/open.ts";
import { DEFAULT_TIMINGS, type Timings } from "./timings.ts";

export interface Config {
  readonly webhookSecret: string;
  readonly webhookPath: string;
  readonly databaseUrl: string;
  readonly host: string;
  readonly port: number;
  /** Where agents and people reach this app; null: it hosts no runs. */
  readonly publicUrl: string | null;
  /** Who issues the OIDC tokens of the jobs that may join runs. */
  readonly oidcIssuer: string;
  /** GitHub's REST API, without a slash at the end. */
  readonly apiUrl: string;
  readonly timings: Timings;
  /** What one repository, installation and workflow run may have of the runs that are hosted. */
  readonly quotas: QuotaLimits;
  /** What the bodies of webhooks may hold before they are known to be GitHub's. Bytes. */
  readonly webhookMemory: number;
  /** At once. */
  readonly connections: number;
}

/** A setting is missing or wrong; each line says what to do. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** What Probot falls back to when there is no secret: everybody knows it. */
const KNOWN_SECRETS: ReadonlySet<string> = new Set(["development"]);

const text = z
  .string()
  .trim()
  .optional()
  .transform((value) => (value === undefined || value === "" ? undefined : value));
/** A whole number within bounds. */
const whole = (least: number, most: number) =>
  text.transform((value, context) => {
    const number = value === undefined ? undefined : Number(value);
    if (number !== undefined && !(Number.isInteger(number) && number >= least && number <= most)) {
      context.addIssue({ code: "custom", message: `expected a whole number from ${least} to ${most}` });
      return z.NEVER;
    }
    return number;
  });
/** `runs=100, agents=512`: those that are named, instead of the defaults. */
const scopeLimits = (defaults: ScopeLimits) =>
  text.transform((value, context) => {
    const limits: Record<string, number> = { ...defaults };
    for (const each of (value ?? "").split(",").filter((part) => part.trim() !== "")) {
      const [, name = "", number = ""] = /^\s*(?<name>[a-z]+)\s*=\s*(?<number>\d{1,9})\s*$/u.exec(each) ?? [];
      if (!Object.hasOwn(defaults, name) || Number(number) < 1) {
        const names = Object.keys(defaults).join(", ");
        context.addIssue({ code: "custom", message: `expected name=number, separated by commas; names are ${names}` });
        return z.NEVER;
      }
      limits[name] = Number(number);
    }
    return { ...defaults, ...limits };
  });
const settings = z.object({
  WEBHOOK_SECRET: text,
  WEBHOOK_PATH: text.pipe(z.string().startsWith("/").optional()),
  DATABASE_URL: text,
  HOST: text,
  PORT: whole(0, 65_535),
  PUBLIC_URL: text.pipe(z.url({ protocol: /^https?$/u }).optional()),
  OIDC_ISSUER: text.pipe(z.url({ protocol: /^https?$/u }).optional()),
  GHE_HOST: text,
  GHE_PROTOCOL: text.pipe(z.enum(["http", "https"]).optional()),
  STAGEWRIGHT_WRITE_INTERVAL_MS: whole(0, 3_600_000),
  STAGEWRIGHT_RETRY_PAUSE_MS: whole(0, 3_600_000),
  STAGEWRIGHT_SWEEP_MINUTES: whole(1, 10_080),
  STAGEWRIGHT_REPOSITORY_LIMITS: scopeLimits(DEFAULT_QUOTAS.repository),
  STAGEWRIGHT_INSTALLATION_LIMITS: scopeLimits(DEFAULT_QUOTAS.installation),
  STAGEWRIGHT_WORKFLOW_RUN_GROUPS: whole(1, 100_000),
  STAGEWRIGHT_WEBHOOK_MEMORY: whole(64, 1_000_000),
  STAGEWRIGHT_CONNECTIONS: whole(10, 1_000_000),
});

const MOST_RETRY_PAUSE = 30_000;
/** MiB: five of the largest payloads. */
const DEFAULT_WEBHOOK_MEMORY = 128;
/** Two of each agent: ten thousand agents. */
const DEFAULT_CONNECTIONS = 20_000;

/** Throws a ConfigError that lists everything wrong at once. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const parsed = settings.safeParse(env);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("\n"));
  }
  const { data } = parsed;
  const secret = data.WEBHOOK_SECRET;
  if (secret === undefined) {
    throw new ConfigError(
      "WEBHOOK_SECRET is missing: set it to the secret of the app's settings on GitHub, at least 20 random characters.",
    );
  }
  if (KNOWN_SECRETS.has(secret)) {
    throw new ConfigError(
      `WEBHOOK_SECRET is “${secret}”, which anybody can guess: make one with \`openssl rand -hex 32\` and set it here and in the app's settings on GitHub.`,
    );
  }
  const pause = data.STAGEWRIGHT_RETRY_PAUSE_MS;
  return {
    webhookSecret: secret,
    webhookPath: data.WEBHOOK_PATH ?? "/api/github/webhooks",
    databaseUrl: data.DATABASE_URL ?? DEFAULT_DATABASE_URL,
    host: data.HOST ?? "localhost",
    port: data.PORT ?? 3000,
    publicUrl: data.PUBLIC_URL?.replace(/(?<!\/)\/+$/u, "") ?? null,
    oidcIssuer: data.OIDC_ISSUER ?? (data.GHE_HOST ? `https://${data.GHE_HOST}/_services/token` : GITHUB_ISSUER),
    // As Probot makes it of the same settings.
    apiUrl: data.GHE_HOST ? `${data.GHE_PROTOCOL ?? "https"}://${data.GHE_HOST}/api/v3` : "https://api.github.com",
    quotas: {
      repository: data.STAGEWRIGHT_REPOSITORY_LIMITS,
      installation: data.STAGEWRIGHT_INSTALLATION_LIMITS,
      workflowRun: data.STAGEWRIGHT_WORKFLOW_RUN_GROUPS ?? DEFAULT_QUOTAS.workflowRun,
    },
    webhookMemory: (data.STAGEWRIGHT_WEBHOOK_MEMORY ?? DEFAULT_WEBHOOK_MEMORY) * 1024 * 1024,
    connections: data.STAGEWRIGHT_CONNECTIONS ?? DEFAULT_CONNECTIONS,
    timings: {
      ...DEFAULT_TIMINGS,
      sweepEvery:
        data.STAGEWRIGHT_SWEEP_MINUTES === undefined
          ? DEFAULT_TIMINGS.sweepEvery
          : data.STAGEWRIGHT_SWEEP_MINUTES * 60_000,
      writeInterval: data.STAGEWRIGHT_WRITE_INTERVAL_MS ?? DEFAULT_TIMINGS.writeInterval,
      retryPauses:
        pause === undefined
          ? DEFAULT_TIMINGS.retryPauses
          : [1, 2, 4].map((factor) => Math.min(pause * factor, MOST_RETRY_PAUSE)),
    },
  };
}
