/** What a move costs on GitHub: GraphQL requests counted by the sandbox, and seconds for many moves at once. */
import { addLabelsByName, asUser } from "../../src/sandbox/world/index.ts";
import { openHouse } from "../app/house.ts";
import type { Bench } from "./bench.ts";

const MANY = 50;

export const bench: Bench = {
  what: "GitHub requests per transition, counted by the sandbox",
  async *run() {
    const house = await openHouse();
    try {
      const pull = house.open();
      await house.settled();
      house.later();
      house.requests();
      addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["ready-for-qa"]);
      await house.settled();
      yield `one pull request: ${count(house.requests())} GraphQL request for its move (aim 1)`;

      addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["documentation"]);
      await house.settled();
      yield `an event that changes nothing: ${count(house.requests())} requests (aim 0)`;

      const pulls = Array.from({ length: MANY }, (_, n) => house.open({ branch: `bench-${n}` }));
      await house.settled();
      house.later();
      house.requests();
      const started = performance.now();
      for (const each of pulls) addLabelsByName(house.sandbox.world, asUser(house.cleo), each, ["ready-for-qa"]);
      await house.settled();
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const right = pulls.filter((each) => house.stageLabels(each).join() === "stage/ready-for-qa").length;
      yield `${MANY} at once: ${right} right with ${count(house.requests())} GraphQL requests in ${seconds} s`;
    } finally {
      await house.close();
    }
  },
};

function count(requests: Record<string, number>): number {
  return Object.values(requests).reduce((sum, each) => sum + each, 0);
}
