/** GitHub's list of the webhooks that it sent to this app, and asking for one again. As the app itself. */
import { z } from "zod";
import { githubId } from "../id.ts";
import type { GitHubClient } from "../port.ts";
import { payloadDate } from "./payloads.ts";

/** One attempt at a delivery. */
export interface ListedDelivery {
  readonly id: string;
  /** The same for all attempts; `X-GitHub-Delivery`. */
  readonly guid: string;
  readonly deliveredAt: number;
  readonly event: string;
  readonly action: string | null;
  /** It was answered with a status of 2xx. */
  readonly arrived: boolean;
  /** Null: it is about none, or GitHub does not say. */
  readonly repositoryId: number | null;
}

const PER_PAGE = 100;

const listed = z.array(
  z.object({
    id: githubId,
    guid: z.string(),
    delivered_at: payloadDate,
    event: z.string(),
    action: z.string().nullish(),
    status_code: z.number(),
    repository_id: z.number().nullish(),
  }),
);

/** One page, newest first. `next`: the cursor of the page after it; null: there is none. */
export async function listDeliveries(
  client: GitHubClient,
  cursor: string | null,
  signal: AbortSignal,
): Promise<{ readonly deliveries: readonly ListedDelivery[]; readonly next: string | null }> {
  const answer = await client.request("GET /app/hook/deliveries", {
    per_page: PER_PAGE,
    ...(cursor === null ? {} : { cursor }),
    request: { signal },
  });
  const deliveries = listed.parse(answer.data).map((each) => ({
    id: each.id,
    guid: each.guid,
    deliveredAt: each.delivered_at,
    event: each.event,
    action: each.action ?? null,
    arrived: each.status_code >= 200 && each.status_code < 300,
    repositoryId: each.repository_id ?? null,
  }));
  return { deliveries, next: nextCursor(answer.headers.link) };
}

/** Asks for this attempt to be made again. It comes as a webhook of its own, with the same guid. */
export async function redeliver(client: GitHubClient, id: string, signal: AbortSignal): Promise<void> {
  await client.request("POST /app/hook/deliveries/{delivery_id}/attempts", { delivery_id: id, request: { signal } });
}

/** From `link: <https://…?cursor=…>; rel="next"`. */
function nextCursor(link: string | number | undefined): string | null {
  for (const part of `${link ?? ""}`.split(",")) {
    const url = /<(?<url>[^<>]+)>;\s*rel="next"/u.exec(part)?.groups?.url;
    if (url !== undefined && URL.canParse(url)) {
      return new URL(url).searchParams.get("cursor");
    }
  }
  return null;
}
