/** Where this machine is reached, and what is connected to. */
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { type Endpoint, splitAddress } from "../../plan/parsing/address.ts";

/** What to connect to for a URL whose port is said. */
export function endpointOf(url: URL): Endpoint & { readonly host: string; readonly port: number } {
  const { host, port } = splitAddress(url.host);
  return { host: host ?? "localhost", port: port ?? (url.protocol === "https:" ? 443 : 80) };
}

/**
 * The host at which others reach this machine, as far as it can tell itself: an IPv4 address of a network where there is
 * one, else an IPv6 address, else this machine's own. Never one that holds on its link alone.
 * @param listens the host it listens at; null: at all of its addresses
 */
export function reachableHost(
  listens: string | null,
  interfaces: readonly NetworkInterfaceInfo[] = Object.values(networkInterfaces()).flatMap((all) => all ?? []),
): string {
  if (listens !== null && listens !== "0.0.0.0" && listens !== "::") return listens;
  const usable = interfaces.filter(
    ({ family, address }) => !/^(?:169\.254\.|fe[89ab])/i.test(address) && (family === "IPv4" || listens !== "0.0.0.0"),
  );
  const best = (internal: boolean, family: string): string | undefined =>
    usable.find((each) => each.internal === internal && each.family === family)?.address;
  return best(false, "IPv4") ?? best(false, "IPv6") ?? best(true, "IPv4") ?? best(true, "IPv6") ?? "127.0.0.1";
}
