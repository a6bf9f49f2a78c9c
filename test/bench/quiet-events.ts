/** What events cost that change nothing: titles, comments, labels and statuses that no condition asks for. */
import { addComment, addLabelsByName, asUser, createStatus, editPull } from "../../src/sandbox/world/index.ts";
import { openHouse } from "../app/house.ts";
import type { Bench } from "./bench.ts";

const EVENTS = 1_000;
const PULLS = 50;

export const bench: Bench = {
  what: `requests to GitHub for ${EVENTS.toLocaleString("en")} events that change nothing`,
  async *run() {
    const house = await openHouse();
    try {
      const { world } = house.sandbox;
      const pulls = Array.from({ length: PULLS }, (_, n) => house.open({ branch: `quiet-${n}` }));
      await house.settled();
      house.later();
      house.sandbox.requests.clear();
      const before = (await house.store.countDeliveries()).done;
      const started = performance.now();
      for (let n = 0; (await arrived()) < EVENTS; n += 1) {
        for (const pull of pulls) {
          editPull(world, asUser(house.rex), pull, { title: `Title ${n}` });
          addComment(world, asUser(house.rex), pull, `Comment ${n}`);
          addLabelsByName(world, asUser(house.cleo), pull, [`area-${n}`]);
          createStatus(world, asUser(house.rex), house.repository, pull.head.sha, {
            state: "success",
            context: `status-${n}`,
          });
        }
        await house.settled();
      }
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const { total } = house.sandbox.requests.counts();
      yield `${await arrived()} webhooks handled in ${seconds} s: ${total} requests (aim 0)`;

      async function arrived(): Promise<number> {
        return (await house.store.countDeliveries()).done - before;
      }
    } finally {
      await house.close();
    }
  },
};
