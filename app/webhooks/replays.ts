/**
 * A signed webhook that somebody else has seen can be sent again. The signature covers its body, not its delivery's id:
 * under a new id it looks like another one with the same words. What is recorded by dates changes nothing then. A press
 * of a button has no date, and two real ones may say the same: of those GitHub has listed both.
 */
import { createHash } from "node:crypto";
import { listDeliveries } from "../../src/github/webhooks/deliveries.ts";
import type { Clients } from "../github-cache/clients.ts";
import type { Delivery } from "../store/model.ts";
import type { Timings } from "../work/timings.ts";

/** Tells deliveries that say the same from others. */
export function contentOf({ event, payload }: Pick<Delivery, "event" | "payload">): string {
  return createHash("sha256").update(`${event}\n${payload}`).digest("base64url");
}

export interface SentOptions {
  readonly clients: Pick<Clients, "app">;
  readonly timings: Pick<Timings, "deliveryGrace" | "requestTimeout">;
  readonly now: () => number;
}

/** `not yet`: it is so new that GitHub's list may not have it. */
export type Sent = "sent" | "not sent" | "not yet";

/** Further back is not looked for a delivery that came at this time. */
const BEFORE_MS = 10 * 60_000;
const MOST_PAGES = 50;

/** Whether GitHub says that it sent this delivery, which came at `at`. Throws what its client throws. */
export function sentByGitHub({ clients, timings, now }: SentOptions) {
  return async (guid: string, at: number, stop: AbortSignal): Promise<Sent> => {
    const client = await clients.app();
    let cursor: string | null = null;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(timings.requestTimeout)]);
      const { deliveries, next } = await listDeliveries(client, cursor, signal);
      if (deliveries.some((each) => each.guid === guid)) {
        return "sent";
      }
      const oldest = deliveries.at(-1);
      if (next === null || oldest === undefined || oldest.deliveredAt < at - BEFORE_MS) {
        break;
      }
      cursor = next;
    }
    return now() - at < timings.deliveryGrace ? "not yet" : "not sent";
  };
}
