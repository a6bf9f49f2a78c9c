/** Ids: numbers that count up, many of them beyond 2^53, and opaque node ids that stay the same for the same seed. */
import { createHash, createHmac, randomBytes } from "node:crypto";

/** Prefixes as GitHub writes them today; what follows is opaque. */
const prefixes = {
  User: "U",
  Bot: "BOT",
  Organization: "O",
  Team: "T",
  App: "A",
  Installation: "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u",
  Repository: "R",
  Ref: "REF",
  Commit: "C",
  Label: "LA",
  PullRequest: "PR",
  Review: "PRR",
  Comment: "IC",
  Reaction: "REA",
  TimelineEvent: "TE",
  CheckSuite: "CS",
  CheckRun: "CR",
  Status: "SC",
  Deployment: "DE",
  DeploymentStatus: "DES",
  Environment: "EN",
  ProtectionRule: "GA",
  Workflow: "W",
  WorkflowRun: "WFR",
} as const;

/**
 * Kinds of which there are so many that GitHub may give them such ids any day, as it has given them to deliveries. They
 * are even, so that a double holds them all the same: whoever reads them exactly sees an integer that is not safe.
 */
const large: ReadonlySet<string> = new Set([
  "Comment",
  "Review",
  "Reaction",
  "TimelineEvent",
  "CheckSuite",
  "CheckRun",
  "Status",
  "Deployment",
  "DeploymentStatus",
  "WorkflowRun",
]);

export type NodeKind = keyof typeof prefixes;

export class Ids {
  readonly #seed: string | null;
  readonly #large: ReadonlySet<string>;
  readonly #counters = new Map<string, number>();
  #secrets = 0;

  /**
   * With a seed, ids, tokens and guids repeat from run to run. Without, tokens and guids are random.
   * @param largeIds of all kinds that GitHub could give them to, not of deliveries alone
   */
  constructor(seed: string | null, largeIds: boolean) {
    this.#seed = seed;
    this.#large = largeIds ? large : new Set();
  }

  /** Kinds count apart and start far from each other, so that an id used for the wrong kind is found nowhere. */
  next(kind: string): number {
    const count = this.#count(kind);
    return this.#large.has(kind) ? 2 ** 53 + 2 * count : count;
  }

  /** Beyond 2^53, and odd: no double holds it. */
  nextDelivery(): string {
    return String(2n ** 53n + 2n * BigInt(this.#count("Delivery")) + 1n);
  }

  #count(kind: string): number {
    const before =
      this.#counters.get(kind) ?? 1000 + (createHash("sha1").update(kind).digest().readUInt16BE(0) % 9000) * 1000;
    this.#counters.set(kind, before + 1);
    return before + 1;
  }

  node(kind: NodeKind, key: number | string): string {
    const digest = createHash("sha256")
      .update(`${this.#seed ?? ""}:${kind}:${key}`)
      .digest("base64url");
    return `${prefixes[kind]}_kwDO${digest.replaceAll(/[-_]/g, "x").slice(0, 14)}`;
  }

  /** Hex, 20 bytes: for tokens and secrets. */
  secret(): string {
    this.#secrets += 1;
    if (this.#seed === null) return randomBytes(20).toString("hex");
    return createHmac("sha256", this.#seed).update(`secret:${this.#secrets}`).digest("hex").slice(0, 40);
  }

  guid(): string {
    const hex = this.secret();
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }
}
