/** Faults that tests and players order: refusals, delays, lost answers, rate limits, and webhooks gone astray. */
import { z } from "zod";
import type { HookFault } from "../webhooks/sender.ts";
import type { Delivery } from "../world/index.ts";

const times = z.number().int().min(1).max(1_000_000).default(1);
const milliseconds = z.number().int().min(0).max(600_000);

/** What a request must look like; what is not named matches everything. */
const requestMatch = z
  .strictObject({
    method: z.string().optional(),
    /** `GET /repos/{owner}/{repo}`, the path with its placeholders alone, or a concrete path. */
    route: z.string().optional(),
    /** GraphQL: the operation's name, or one of its root fields (`addLabelsToLabelable`). */
    operation: z.string().optional(),
  })
  .default({});

const hookMatch = z.strictObject({ event: z.string().optional(), action: z.string().optional() }).default({});

export const faultSchema = z.discriminatedUnion("kind", [
  /** Refused; nothing is applied. */
  z.strictObject({
    kind: z.literal("status"),
    match: requestMatch,
    times,
    status: z.number().int().min(400).max(599),
    message: z.string().default("fault"),
  }),
  /** Answered late; applied in time. `perWrite`: so much for each thing that the request changes, reads at once. */
  z.strictObject({
    kind: z.literal("delay"),
    match: requestMatch,
    times,
    ms: milliseconds,
    perWrite: z.boolean().default(false),
  }),
  /** Applied, but the answer is lost: the connection is cut, or a gateway answers 502. */
  z.strictObject({
    kind: z.literal("dropAnswer"),
    match: requestMatch,
    times,
    how: z.enum(["cut", "502"]).default("cut"),
  }),
  /** GraphQL: this field (null: everything asked for) could not be read; the answer has status 200 and an error. */
  z.strictObject({
    kind: z.literal("unread"),
    match: requestMatch,
    times,
    field: z.string().nullable().default(null),
  }),
  /** 403 or 429 with retry-after; GraphQL: 200 with an error of type RATE_LIMITED. */
  z.strictObject({
    kind: z.literal("rateLimited"),
    match: requestMatch,
    times,
    status: z.union([z.literal(403), z.literal(429)]).default(403),
    retryAfter: z.number().int().min(0).default(60),
  }),
  z.strictObject({ kind: z.literal("hookDrop"), match: hookMatch, times }),
  z.strictObject({ kind: z.literal("hookDuplicate"), match: hookMatch, times }),
  z.strictObject({ kind: z.literal("hookDelay"), match: hookMatch, times, ms: milliseconds }),
  z.strictObject({ kind: z.literal("hookReorder"), match: hookMatch, times }),
]);

export type Fault = z.output<typeof faultSchema>;
export type RequestFault = Extract<Fault, { kind: "status" | "delay" | "dropAnswer" | "rateLimited" | "unread" }>;

export interface PlacedFault {
  readonly id: number;
  readonly fault: Fault;
  left: number;
}

/** What is known of a request when a fault is looked for. */
export interface Asked {
  readonly method: string;
  /** The path below the prefix. */
  readonly path: string;
  /** `GET /repos/{owner}/{repo}` where it matched one. */
  readonly operation: string;
  /** GraphQL: operation name and root fields. */
  readonly graphql: readonly string[];
}

export class Faults {
  readonly #placed: PlacedFault[] = [];
  #count = 0;

  /** @throws ZodError */
  place(input: unknown): PlacedFault {
    const fault = faultSchema.parse(input);
    this.#count += 1;
    const placed: PlacedFault = { id: this.#count, fault, left: fault.times };
    this.#placed.push(placed);
    return placed;
  }

  list(): readonly PlacedFault[] {
    return this.#placed.filter((one) => one.left > 0);
  }

  clear(): void {
    this.#placed.length = 0;
  }

  /** The first that matches, used up by one. */
  takeRequest(asked: Asked): RequestFault | null {
    for (const placed of this.list()) {
      const { fault } = placed;
      if (
        fault.kind !== "status" &&
        fault.kind !== "delay" &&
        fault.kind !== "dropAnswer" &&
        fault.kind !== "rateLimited" &&
        fault.kind !== "unread"
      )
        continue;
      if (fault.kind === "unread" && asked.graphql.length === 0) continue;
      const { method, route, operation } = fault.match;
      if (method !== undefined && method.toUpperCase() !== asked.method) continue;
      if (
        route !== undefined &&
        route !== asked.operation &&
        route !== asked.path &&
        `${asked.method} ${route}` !== asked.operation
      )
        continue;
      if (operation !== undefined && !asked.graphql.includes(operation)) continue;
      placed.left -= 1;
      return fault;
    }
    return null;
  }

  takeHook(delivery: Pick<Delivery, "event" | "action">): HookFault | null {
    for (const placed of this.list()) {
      const { fault } = placed;
      if (
        fault.kind !== "hookDrop" &&
        fault.kind !== "hookDuplicate" &&
        fault.kind !== "hookDelay" &&
        fault.kind !== "hookReorder"
      )
        continue;
      if (fault.match.event !== undefined && fault.match.event !== delivery.event) continue;
      if (fault.match.action !== undefined && fault.match.action !== delivery.action) continue;
      placed.left -= 1;
      switch (fault.kind) {
        case "hookDrop":
          return { kind: "drop" };
        case "hookDuplicate":
          return { kind: "duplicate" };
        case "hookDelay":
          return { kind: "delay", ms: fault.ms };
        case "hookReorder":
          return { kind: "reorder" };
      }
    }
    return null;
  }
}
