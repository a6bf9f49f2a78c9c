/**
 * What the step leaves for its post step lies where every command of the job can find and change it, so it bears a seal:
 * a keyed digest whose key is the token that the post step will act with. Who can make the seal has that token, and gains
 * nothing by it.
 */
import { createHmac } from "node:crypto";
import type { Job } from "./input/job.ts";

/** Of several values of one name the last counts. */
export const NAME = "left";

/** What the seal is made with, and for: one attempt of one job. */
export interface SealKey {
  /** Empty: none. Then the post step can do no more than the commands themselves. */
  readonly token: string;
  readonly job: Pick<Job, "repositoryId" | "runId" | "attempt" | "id">;
}

export function seal(text: string, { token, job }: SealKey): Buffer {
  const about = JSON.stringify(["stagewright post step", job.repositoryId, job.runId, job.attempt, job.id]);
  return createHmac("sha256", token).update(`${about}\n${text}`).digest();
}
