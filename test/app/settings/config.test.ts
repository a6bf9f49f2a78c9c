/** Settings are read at the start, all of them, and each that is wrong is one line. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { misspelt, readConfig, readSettings } from "../../../app/config.ts";
import { weakness } from "../../../app/settings/secrets.ts";

const SECRET = "c1b0d6c6f8f04f6db2f0c51d0c3ea7b1";
const complaint = (env: Record<string, string>): string => {
  try {
    readConfig({ WEBHOOK_SECRET: SECRET, ...env });
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

describe("a setting that is wrong", () => {
  it.each([
    ["APP_ID", "stagewright", "the number in the app's settings on GitHub"],
    ["APP_ID", "-1", "the number in the app's settings on GitHub"],
    ["PORT", "eighty", "a whole number from 0 to 65535"],
    ["HOST", "http://localhost", "a host name or an address"],
    ["PUBLIC_URL", "stagewright.example", "an address with http:// or https://"],
    ["PUBLIC_URL", "ftp://stagewright.example", "an address with http:// or https://"],
    ["OIDC_ISSUER", "token", "an address with http:// or https://"],
    ["WEBHOOK_PATH", "hooks", "a path, such as /api/github/webhooks"],
    ["WEBHOOK_PROXY_URL", "smee", "an address with http:// or https://"],
    ["GHE_HOST", "https://ghe.example", "a host name alone, such as github.example.com"],
    ["GHE_PROTOCOL", "ssh", "http, https"],
    ["GH_ORG", "acme/demo", "the name of an organization on GitHub"],
    ["LOG_LEVEL", "loud", "trace, debug, info, warn, error, fatal"],
    ["LOG_FORMAT", "xml", "pretty, json"],
    ["STAGEWRIGHT_MANIFEST", "all", "minimal, full"],
    ["STAGEWRIGHT_SWEEP_MINUTES", "0", "a whole number from 1 to 10080"],
  ])("is told in one line: %s=%s", (name, value, expected) => {
    expect(complaint({ [name]: value })).toBe(`${name} is “${value}”; expected ${expected}.`);
  });

  it("is told together with all others", () => {
    expect(complaint({ PORT: "x", LOG_LEVEL: "y" }).split("\n")).toHaveLength(2);
  });

  it("is none when it is left out, empty or right", () => {
    expect(complaint({ PORT: "", PUBLIC_URL: " ", GHE_HOST: "ghe.example:8443", LOG_FORMAT: "json" })).toBe("");
    expect(readSettings({}).APP_ID).toBeUndefined();
  });
});

describe("days that what is over is kept", () => {
  const keep = (text: string) => readConfig({ WEBHOOK_SECRET: SECRET, STAGEWRIGHT_KEEP_DAYS: text }).timings.keep;

  it("are those that are named, and the defaults of all others", () => {
    expect(keep("history=90, runs = 14,")).toEqual({
      ...keep(""),
      history: 90 * 86_400_000,
      runs: 14 * 86_400_000,
    });
  });

  it.each(["runs=0", "deliveries=3", "rnus=4", "runs", "toString=4"])("are refused where they are none: %s", (text) => {
    expect(complaint({ STAGEWRIGHT_KEEP_DAYS: text })).toContain("expected name=days");
  });
});

describe("seconds that something waits", () => {
  const timings = (text: string) => readConfig({ WEBHOOK_SECRET: SECRET, STAGEWRIGHT_WAIT_SECONDS: text }).timings;

  it("are those that are named, with three beats to a lease, and the defaults of all others", () => {
    expect(timings("lease=6, askRuns = 20")).toEqual({
      ...timings(""),
      lease: 6_000,
      beatEvery: 2_000,
      askRuns: 20_000,
    });
  });

  it.each(["lease=1", "lease=3601", "leese=4", "lease", "keep=4"])("are refused where they are none: %s", (text) => {
    expect(complaint({ STAGEWRIGHT_WAIT_SECONDS: text })).toContain("expected name=seconds");
  });
});

describe("a webhook secret", () => {
  it.each([
    "x",
    "changeme",
    "development",
    "change-me-change-me-change-me",
    "It's a Secret to Everybody",
    "your_webhook_secret_here",
    "my-super-secret-webhook-secret-123",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "1b0d6c6f8f04f6db2f0",
  ])("that is short or well known is refused with the reason, and not repeated: %s", (secret) => {
    const told = complaint({ WEBHOOK_SECRET: secret });
    expect(told).toMatch(/^WEBHOOK_SECRET .*openssl rand -hex 32/);
    if (secret.length > 1) expect(told).not.toContain(secret);
  });

  it("is taken when it is random", () => {
    const hex = fc.uint8Array({ minLength: 16, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("hex"));
    fc.assert(
      // Arbitrary values begin with the simplest, all zeros: those are no secret.
      fc.property(
        hex.filter((text) => new Set(text).size > 8),
        (secret) => weakness(secret) === null,
      ),
    );
  });

  it("is judged in a time that grows as it does", () => {
    expect(weakness(`${"the secret is a test ".repeat(5_000)}q`)).toBeNull();
  });
});

describe("a variable that looks like a setting and is none", () => {
  it("is told with what was meant", () => {
    expect(misspelt({ STAGEWRIGHT_SWEEP_MINUTE: "1", STAGEWRIGHT_WRITE_INTERVALL_MS: "2" })).toEqual([
      'STAGEWRIGHT_SWEEP_MINUTE is set, and the app has no such setting; did you mean "STAGEWRIGHT_SWEEP_MINUTES"?',
      'STAGEWRIGHT_WRITE_INTERVALL_MS is set, and the app has no such setting; did you mean "STAGEWRIGHT_WRITE_INTERVAL_MS"?',
    ]);
    expect(misspelt({ STAGEWRIGHT_COLOUR: "red" })).toEqual([
      "STAGEWRIGHT_COLOUR is set, and the app has no such setting",
    ]);
  });

  it("is not what the app, the command or a plan's commands have", () => {
    const known = ["SWEEP_MINUTES", "COORDINATOR_SECRET", "AGENT_NAME", "PARAM_SIZE", "OUTPUT_PREPARE_ROWS", "EVENTS"];
    expect(misspelt(Object.fromEntries(known.map((name) => [`STAGEWRIGHT_${name}`, "1"])))).toEqual([]);
  });
});
