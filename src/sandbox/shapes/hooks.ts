/** Webhook deliveries, as their app may list them. */
import type { Delivery } from "../world/index.ts";
import { iso } from "./urls.ts";

declare global {
  interface JSON {
    /** Writes an integer that no number holds. Node has it, the compiler does not know it yet. */
    rawJSON(text: string): object;
  }
}

export function deliverySummary(shown: Delivery) {
  return {
    id: JSON.rawJSON(shown.id),
    guid: shown.guid,
    delivered_at: iso(shown.deliveredAt ?? shown.queuedAt),
    redelivery: shown.redelivery,
    duration: shown.duration / 1000,
    status: shown.status,
    status_code: shown.statusCode,
    event: shown.event,
    action: shown.action,
    installation_id: shown.installationId,
    repository_id: shown.repositoryId,
    throttled_at: null,
  };
}

export function delivery(shown: Delivery) {
  const payload: unknown = JSON.parse(shown.request.body);
  return {
    ...deliverySummary(shown),
    url: shown.url,
    request: { headers: shown.request.headers, payload },
    response: { headers: shown.response?.headers ?? null, payload: shown.response?.body ?? null },
  };
}
