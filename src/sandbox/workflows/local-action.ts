/** `uses: <owner>/stagewright…@<any ref>` means this checkout of the project: its action, its reusable workflows. */
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";

const ACTION = /^[\w.-]+\/stagewright@[\w./-]+$/;
const WORKFLOW = /^[\w.-]+\/stagewright\/(\.github\/workflows\/[\w.-]+\.ya?ml)@[\w./-]+$/;

/** The action cannot be used yet; says what to do. */
export class NotBuilt extends Error {
  override readonly name = "NotBuilt";
}

/** Resolvers for the project at `root`; null for whatever is not this project's. */
export function localAction(root: string): {
  resolveAction(uses: string): Promise<string | null>;
  resolveWorkflow(uses: string): Promise<string | null>;
} {
  return {
    async resolveAction(uses) {
      if (!ACTION.test(uses)) return null;
      try {
        await access(join(root, "dist", "index.js"));
      } catch (cause) {
        throw new NotBuilt("dist/index.js is missing: run `npm run build`", { cause });
      }
      return root;
    },
    async resolveWorkflow(uses) {
      const path = WORKFLOW.exec(uses)?.[1];
      return path === undefined ? null : readFile(join(root, path), "utf8").catch(() => null);
    },
  };
}
