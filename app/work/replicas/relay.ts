/** Passes on to the other replicas that there may be something to do, and hears it from them. */
import { z } from "zod";
import type { Claim } from "../../store/model.ts";
import { TOPICS, type Wakeups } from "../wakeups.ts";
import { INSTALLATION } from "./replica.ts";

const said = z.object({ from: z.string(), topic: z.enum(TOPICS), about: z.number().nullable() });

/** What carries texts to all replicas. */
export interface Carrier {
  send(text: string): void;
}

/**
 * `replica`: this one's id. What is said in the midst of an installation's own work is about that: nobody else needs to
 * hear it. Returns what hears the others.
 */
export function relayWakeups(
  wakeups: Wakeups,
  carrier: Carrier,
  { replica, inForce }: { readonly replica: string; readonly inForce: () => Claim | null },
): (text: string) => void {
  wakeups.relay(
    (topic, about) => carrier.send(JSON.stringify({ from: replica, topic, about })),
    () => inForce()?.key.startsWith(INSTALLATION) === true,
  );
  return (text) => {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      return;
    }
    const { data } = said.safeParse(json);
    if (data !== undefined && data.from !== replica) {
      wakeups.hear(data.topic, data.about);
    }
  };
}
