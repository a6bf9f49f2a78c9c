/** What is kept beside each run: where on GitHub it belongs, and its check run. */
import { z } from "zod";
import { githubId } from "../../src/github/id.ts";

/** Where a run's check run belongs. */
export interface RunPlace {
  /** owner/name */
  readonly repository: string;
  readonly installationId: number;
}

/** Those stored before there were `headSha` and `pulls` do not say them. */
export const runNote = z.object({
  repository: z.string(),
  installationId: z.number(),
  checkId: githubId.nullable(),
  url: z.string().nullable(),
  /** The commit that its workflow run is about. */
  headSha: z.string().nullable().default(null),
  /** Pull requests that had it as their head when the run began, or for which the app started the workflow. */
  pulls: z.array(z.number()).default([]),
  /** A request to make the check run was about to be sent then, and nothing is known of its answer (ms). */
  creatingSince: z.number().nullable().default(null),
});
export type RunNote = z.output<typeof runNote>;
