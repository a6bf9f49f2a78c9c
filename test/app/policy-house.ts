/** The house with a policy of its own. */
import { type House, type HouseOptions, openHouse } from "./house.ts";

export async function openPolicyHouse(policy: string, options: HouseOptions = {}): Promise<House> {
  return await openHouse({ ...options, files: { ...options.files, ".github/stagewright.yml": policy } });
}
