/** The house with a policy of its own. */
import { vi } from "vitest";
import type { Policy } from "../../src/lifecycle/policy.ts";
import { policyOf } from "../lifecycle/policies.ts";

const chosen = vi.hoisted<{ policy: Policy | null }>(() => ({ policy: null }));
vi.mock(import("../../app/policies.ts"), async (original) => {
  const real = await original();
  return { ...real, onePolicy: () => real.onePolicy(chosen.policy ?? undefined) };
});

import { type House, type HouseOptions, openHouse } from "./house.ts";

export async function openPolicyHouse(policy: string, options: HouseOptions = {}): Promise<House> {
  chosen.policy = policyOf(policy);
  return await openHouse({ ...options, files: { ...options.files, ".github/stagewright.yml": policy } });
}
