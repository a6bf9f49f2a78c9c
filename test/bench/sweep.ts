/** What it costs to find out that nothing was missed, and to be told a thousand times of what changes nothing. */
import { addLabelsByName, asUser } from "../../src/sandbox/world/index.ts";
import { openHouse } from "../app/house.ts";
import type { Bench } from "./bench.ts";
import { readOneAtATime } from "./one-at-a-time.ts";

const PULLS = 1_000;

export const bench: Bench = {
  what: `a sweep over ${PULLS.toLocaleString("en")} open pull requests, against reading them one at a time`,
  async *run() {
    const house = await openHouse({ oneClock: true });
    try {
      const { world } = house.sandbox;
      const pulls = Array.from({ length: PULLS }, (_, n) => house.open({ branch: `sweep-${n}` }));
      await house.settled();
      house.later(120);
      const repository = await house.store.repository(house.repository.id);
      if (repository === null) throw new Error(`The repository is not known.`);
      const { reconciliation } = house.app.engine();
      for (const which of ["first", "second"]) {
        house.sandbox.requests.clear();
        const started = performance.now();
        const report = await reconciliation.sweep(repository);
        await house.settled();
        const seconds = (performance.now() - started) / 1000;
        const { graphql, total } = house.sandbox.requests.counts();
        yield `${which} sweep: ${report.open} open, ${report.unchanged} unchanged, ${graphql.queries} queries (aim at most ${PULLS / 50}), ${graphql.mutations} mutations (aim 0), ${total} requests in all, ${seconds.toFixed(1)} s`;
      }
      const started = performance.now();
      const requests = await readOneAtATime(house, pulls);
      yield `one at a time: ${requests} requests, ${((performance.now() - started) / 1000).toFixed(1)} s`;

      const [missed] = pulls;
      if (missed === undefined) return;
      house.sandbox.faults.place({ kind: "hookDrop", match: {}, times: 1_000 });
      addLabelsByName(world, asUser(house.cleo), missed, ["ready-for-qa"]);
      await house.sandbox.webhooks.idle();
      house.sandbox.faults.clear();
      house.sandbox.requests.clear();
      await reconciliation.sweep(repository);
      await house.settled();
      const { graphql } = house.sandbox.requests.counts();
      yield `one webhook was lost: found, and put right with ${graphql.mutations} mutation request: ${house.stageLabels(missed).join()}`;
    } finally {
      await house.close();
    }
  },
};
