/** Deliveries as they came in, kept in memory until they are handled; what does not fit is read back from the store. */
import type { NewDelivery } from "../../store/model.ts";

/** Characters of payload that are kept. */
const MOST_KEPT = 16 * 1024 * 1024;

/** What is known of a delivery without reading it back. */
export interface RecentDelivery {
  readonly delivery: NewDelivery;
  /** Its payload, parsed; undefined: only the text is known. */
  readonly content: unknown;
}

export class RecentDeliveries {
  /** By `seq`. */
  readonly #kept = new Map<number, RecentDelivery>();
  #size = 0;

  get full(): boolean {
    return this.#size > MOST_KEPT;
  }

  keep(seq: number, recent: RecentDelivery): void {
    if (!this.full) {
      this.#kept.set(seq, recent);
      this.#size += recent.delivery.payload.length;
    }
  }

  /** Once: after a failure a delivery is read with what is known of it then. */
  take(seq: number): RecentDelivery | undefined {
    const recent = this.#kept.get(seq);
    if (recent !== undefined) {
      this.#kept.delete(seq);
      this.#size -= recent.delivery.payload.length;
    }
    return recent;
  }
}
