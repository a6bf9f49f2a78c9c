/** Webhook deliveries as they are stored. */
/** A delivery as GitHub sent it, before it is stored. */
export interface NewDelivery {
  /** GitHub's id of the delivery (`X-GitHub-Delivery`). */
  readonly id: string;
  readonly event: string;
  /** JSON text. */
  readonly payload: string;
  /** Deliveries with one key are handled in the order they came: a pull request, else a repository or installation. */
  readonly key: string;
  /** Whose it is; null or left out: of no installation. */
  readonly installationId?: number | null;
  readonly receivedAt: number;
}

/** A place in the queue. */
export interface PendingDelivery {
  /** Grows with each accepted delivery. */
  readonly seq: number;
  readonly id: string;
  readonly key: string;
  readonly installationId: number | null;
  /** Not handled before this. */
  readonly nextAt: number;
}

export type DeliveryStatus = "pending" | "done" | "dead";

export interface Delivery extends NewDelivery {
  readonly seq: number;
  readonly installationId: number | null;
  readonly status: DeliveryStatus;
  /** How often it has been tried. */
  readonly tries: number;
  readonly nextAt: number;
  readonly error: string | null;
}

/** Opens one page after this one; null: there is none. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: number | null;
}
