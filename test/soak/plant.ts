/** Faults that are placed on purpose: a judge that does not find them would find none of the app's. */
import { addComment, asApp, createRun, type WorkflowRun } from "../../src/sandbox/world/index.ts";
import { QA, type SoakTown } from "./town.ts";
import type { Walk } from "./traffic.ts";

/** One of the app's comments stands there once more. */
export function doubleComment({ sandbox, app }: SoakTown, walks: readonly Walk[]): void {
  for (const { pull } of walks) {
    const said = pull.comments.find(({ authorId, body }) => authorId === app.botId && body.includes("Done"));
    if (said !== undefined) {
      addComment(sandbox.world, asApp(sandbox.world, app), pull, said.body);
      return;
    }
  }
  throw new Error("expected a comment of the app");
}

/** A workflow that was started runs once more, with the same key. */
export function doubleStart({ sandbox: { world }, places }: SoakTown): void {
  const run: WorkflowRun | undefined = [...world.runs.values()].find(({ path }) => path.endsWith(`/${QA}`));
  const place = places.find(({ repository }) => repository.id === run?.repositoryId);
  if (run === undefined || place === undefined) throw new Error("expected a workflow that was started");
  const { path, event, ref, sha, headSha, headBranch, inputs } = run;
  const actor = asApp(world, place.app);
  createRun(world, actor, {
    ...{ repository: place.repository, path, event, ref, sha, headSha, headBranch, inputs, payload: {} },
  });
}
