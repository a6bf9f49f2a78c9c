/** What makes it doubtful that others reach a leader where it shows itself, as far as it can tell. */
import { lookup } from "node:dns/promises";
import { existsSync } from "node:fs";
import { isIP } from "node:net";
import { splitAddress } from "../plan/address.ts";

/** Docker and Podman leave one of these in their containers. */
const IN_CONTAINER = ["/.dockerenv", "/run/.containerenv"];

export interface Shown {
  /** host:port */
  readonly address: string;
  /** Whether somebody said so, or it was found out here. */
  readonly isGiven: boolean;
}

/** A sentence for each doubt. `isInContainer`: default: as the file system shows. */
export async function doubtsAbout(
  { address, isGiven }: Shown,
  isInContainer: boolean = IN_CONTAINER.some((path) => existsSync(path)),
): Promise<readonly string[]> {
  const host = splitAddress(address).host ?? "";
  if (isGiven) {
    if (isIP(host) !== 0 || (await lookup(host).catch(() => null)) !== null) return [];
    return [`the name ${host}, at which the others look for this agent, does not resolve on this machine`];
  }
  if (!isInContainer) return [];
  return [
    `this job runs in a container: ${address} may be known in it alone; set \`advertise\` to the machine's address, with the port of \`listen\` published`,
  ];
}
