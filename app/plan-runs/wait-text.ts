/** What a run's check run says of waits. */
import { orList } from "../../src/lifecycle/evaluation/permissions.ts";
import { clip, markdown } from "../../src/report/escape.ts";
import { count, duration } from "../../src/report/format.ts";
import type { AskedApproval } from "../../src/run/checkpoints/decisions.ts";
import type { Explanation } from "../../src/run/machine.ts";

/** How the wait for a person is ended, and by whom. Markdown. */
export function howToDecide({ by, until }: AskedApproval, pulls: readonly number[]): string {
  const who = by.length === 0 ? "someone with write permission" : orList(by);
  const on =
    pulls.length === 0 ? "" : ` in a comment on ${orList(pulls.slice(0, MOST_PULLS).map((number) => `#${number}`))}`;
  return [
    `**${markdown(clip(who, 2_000))}** may decide${until === null ? "" : ` until ${new Date(until).toISOString().slice(0, 16).replace("T", " ")} UTC`}:`,
    `- it goes on with the button *Continue*, or \`/stage continue [reason]\`${on}`,
    `- it ends with the button *Stop*, or \`/stage stop [reason]\`${on}`,
  ].join("\n");
}

const MOST_PULLS = 5;

/** Who waits for what, for whom, since when, what they were last seen doing, until when. */
export function waitsText(waits: Explanation["waits"], now: number): string {
  const lines = waits.flatMap(({ text, waiting, who, more, since, until }) => [
    `- **${markdown(text)}**: ${count(waiting, "agent")} waiting since ${timeOfDay(since)}, ${until === null ? "until a person decides" : `until ${timeOfDay(until)} at the latest`}`,
    ...who.map(
      ({ agent, lastSeenAt, lastDoing }) =>
        `  - ${markdown(agent)}: ${lastSeenAt === null ? "not seen yet" : `last seen ${duration(Math.max(0, now - lastSeenAt))} ago`}, ${markdown(clip(lastDoing, 200))}`,
    ),
    ...(more > 0 ? [`  - and ${more} more`] : []),
  ]);
  return lines.slice(0, 500).join("\n");
}

export function timeOfDay(at: number): string {
  return `${new Date(at).toISOString().slice(11, 19)} UTC`;
}
