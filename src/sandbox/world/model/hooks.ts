/** What was sent to an app's webhook URL, and what it answered. */
export interface Delivery {
  /** Of digits: no number holds it. */
  readonly id: string;
  /** The `x-github-delivery` header; a redelivery keeps it. */
  readonly guid: string;
  readonly appId: number;
  readonly installationId: number | null;
  readonly repositoryId: number | null;
  readonly event: string;
  readonly action: string | null;
  readonly redelivery: boolean;
  readonly url: string;
  readonly request: { readonly headers: Readonly<Record<string, string>>; readonly body: string };
  /** When it was put into the queue. */
  readonly queuedAt: number;
  deliveredAt: number | null;
  /** Milliseconds. */
  duration: number;
  status: string;
  /** 0: not sent, not reached or timed out (`status` says which). */
  statusCode: number;
  response: { readonly headers: Readonly<Record<string, string>>; readonly body: string } | null;
}
