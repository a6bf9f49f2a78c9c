/** Before each test file of a mutation run: counts ticks, and makes what is random the same in every run. */
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, inject, type TaskMeta } from "vitest";

declare global {
  /** Each function and each round of a loop calls it: `instrument.ts`. */
  var __tick: (site: number) => void;
}
declare module "vitest" {
  interface ProvidedContext {
    /** How often one test may tick before it is ended. */
    tickLimit: number;
    siteCount: number;
  }
  interface TaskMeta {
    /** Of a test file: the sites that it reached, and the most ticks of one of its tests. */
    sites?: number[];
    mostTicks?: number;
  }
}

const limit = inject("tickLimit");
const reached = new Uint8Array(inject("siteCount"));
let ticks = 0;
let mostTicks = 0;

globalThis.__tick = (site) => {
  reached[site] = 1;
  ticks += 1;
  if (ticks > limit) throw new Error(`This went round more than ${limit} times.`);
};

// A failure is enough: looking for the smallest example of it takes long.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 1, endOnFailure: true });

function startAnew(): void {
  mostTicks = Math.max(mostTicks, ticks);
  ticks = 0;
}
let meta: TaskMeta = {};
beforeAll(startAnew);
beforeEach(({ task }) => {
  startAnew();
  meta = task.file.meta;
});
afterAll(() => {
  startAnew();
  meta.sites = [...reached.entries()].flatMap(([site, count]) => (count > 0 ? [site] : []));
  meta.mostTicks = mostTicks;
});
