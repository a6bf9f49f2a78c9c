/** In which order test files begin. */
import { relative } from "node:path";
import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";

/** They wait for most of their time, and longer than others take: begun last, they would be waited for alone. */
const LONG_WAITS = [
  "test/end-to-end/leader-lost.test.ts",
  "test/end-to-end/demo.test.ts",
  "test/end-to-end/group-table.test.ts",
  "test/end-to-end/killed-job.test.ts",
  "test/app/postgres/process.test.ts",
];

/**
 * Vitest's own order begins with what took longest the last time, but knows that only where there was a last time, and
 * only within a project.
 */
export class LongWaitsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG_WAITS.indexOf(relative(this.ctx.config.root, moduleId));
      return at === -1 ? LONG_WAITS.length : at;
    };
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}
