import type { DependentStore, GateStore, StartStore } from "./model.ts";

export function dependentStore(
  starts: Pick<StartStore, "wakePull">,
  gates: Pick<GateStore, "wakePull">,
): DependentStore {
  return {
    wakeDependents: async (pull, at) => ({
      starts: await starts.wakePull(pull, at),
      gates: await gates.wakePull(pull, at),
    }),
  };
}
