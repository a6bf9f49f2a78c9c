/** Carries webhooks to the app, and knows of each whether the app said that it has it. */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { HookAnswer, Post } from "../../src/sandbox/webhooks/sender.ts";
import type { Delivery } from "../../src/sandbox/world/index.ts";
import type { Random } from "../simulation/random.ts";

/** Of so many deliveries one never comes; others come twice, or late, when others have overtaken them. */
const LOST = 0.01;
const TWICE = 0.04;
const LATE = 0.08;
const LATE_MS = [100, 2_500] as const;

export class Carrier {
  /** By guid: whether one attempt at it was answered with 2xx. */
  readonly #taken = new Map<string, boolean>();
  readonly #counts = { attempts: 0, refused: 0, lost: 0, doubled: 0, late: 0 };
  /** Null: nothing goes astray. */
  mischief: Random | null = null;

  readonly post: Post = async (delivery, signal) => {
    const fate = this.mischief?.next() ?? 1;
    const counts = this.#counts;
    counts.attempts += 1;
    this.#taken.set(delivery.guid, this.#taken.get(delivery.guid) ?? false);
    if (fate < LOST) {
      counts.lost += 1;
      throw new Error("lost on its way");
    }
    if (fate < LOST + TWICE) {
      counts.doubled += 1;
      await this.#carry(delivery, signal).catch(() => undefined);
    } else if (fate < LOST + TWICE + LATE) {
      counts.late += 1;
      await sleep(this.mischief?.between(...LATE_MS), undefined, { signal });
    }
    return await this.#carry(delivery, signal);
  };

  async #carry({ guid, url, request: { headers, body } }: Delivery, signal: AbortSignal): Promise<HookAnswer> {
    try {
      const answer = await send(url, headers, body, signal);
      if (answer.status >= 200 && answer.status < 300) this.#taken.set(guid, true);
      else this.#counts.refused += 1;
      return answer;
    } catch (error) {
      this.#counts.refused += 1;
      throw error;
    }
  }

  get taken(): string[] {
    return [...this.#taken].flatMap(([guid, taken]) => (taken ? [guid] : []));
  }

  get left(): string[] {
    return [...this.#taken].flatMap(([guid, taken]) => (taken ? [] : [guid]));
  }

  get counts() {
    return { deliveries: this.#taken.size, ...this.#counts };
  }
}

/** Over a connection of its own: one that was kept would belong to a process that is dead by now. */
function send(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<HookAnswer> {
  return new Promise((resolve, reject) => {
    const length = `${Buffer.byteLength(body)}`;
    const sent = request(url, {
      method: "POST",
      agent: false,
      signal,
      headers: { ...headers, "content-length": length },
    });
    sent.once("error", reject);
    sent.once("response", (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.once("error", reject);
      answer.once("end", () => {
        resolve({ status: answer.statusCode ?? 0, statusText: answer.statusMessage ?? "", headers: {}, body: text });
      });
      answer.once("close", () => reject(new Error("the answer was cut")));
    });
    sent.end(body);
  });
}
