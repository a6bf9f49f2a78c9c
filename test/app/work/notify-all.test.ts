/** What may be somebody else's to do is told to all replicas, whoever's work led to it. */
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PolicyLoader } from "../../../app/policies/loader.ts";
import { Reconciliation } from "../../../app/reconciliation/reconciliation.ts";
import type { Store } from "../../../app/store/model.ts";
import { recordRepository } from "../../../app/webhooks/repositories.ts";
import { createRuntime } from "../../../app/work/runtime.ts";
import { DEFAULT_TIMINGS } from "../../../app/work/timings.ts";
import { Wakeups } from "../../../app/work/wakeups.ts";
import { openMemoryStore } from "../store/memory.ts";

const log = pino({ level: "silent" });
const widget = {
  ...{ id: 1, nodeId: "R", installationId: 5, owner: "acme", name: "widget", defaultBranch: "main", private: false },
};

describe("all replicas are told", () => {
  let store: Store;
  const sent: string[] = [];
  beforeEach(async () => {
    store = await openMemoryStore();
    sent.length = 0;
    await store.putRepository(widget);
  });
  afterEach(() => store.close());

  /** Of a replica in the midst of an installation's own work, which it tells nobody of. */
  function runtime() {
    const wakeups = new Wakeups();
    wakeups.relay(
      (topic) => void sent.push(topic),
      () => true,
    );
    const client = {
      request: () => Promise.reject(new Error("GitHub does not answer")),
      graphql: async () => ({ repository: null }),
    };
    const clients = { app: async () => client, installation: async () => client };
    const timings = { ...DEFAULT_TIMINGS, reconcileDelay: 0 };
    return createRuntime({ store, clients, log, now: Date.now, timings, wakeups });
  }

  it("when a repository is another installation's from now on", async () => {
    const policies = { mayHaveChanged: async () => false };
    const context = { ...runtime(), policies };
    await recordRepository(widget, 5, context);
    expect(sent).toEqual([]);
    await recordRepository(widget, 6, context);
    expect(sent).toEqual(["pulls", "transitions", "effects", "sweeps"]);
  });

  it("when a policy may have changed that others' policies extend", async () => {
    const show = async () => null;
    const made = runtime();
    const policies = { ...store.policies, dependents: async () => dependents };
    let dependents = [1];
    const loader = new PolicyLoader({
      ...made,
      store: { ...store, policies },
      read: () => () => Promise.reject(new Error("it is not read here")),
      show,
    });
    await loader.mayHaveChanged(widget);
    expect(sent).toEqual([]);
    dependents = [1, 2];
    await loader.mayHaveChanged(widget);
    expect(sent).toEqual(["policies"]);
    await loader.worker.stop();
  });

  it("when a repository is not to be seen any more, so that who looks after installations reads them", async () => {
    const nothing = async () => undefined;
    const reconciliation = new Reconciliation({
      ...runtime(),
      ...{ appId: 1, comments: nothing, people: nothing, swept: nothing },
    });
    reconciliation.start();
    await vi.waitFor(() => expect(sent).toContain("app"), { timeout: 10_000, interval: 5 });
    await reconciliation.stop();
  });
});
