/** Addresses of machines in a network, as people write them. */
import { BlockList } from "node:net";
import { networkInterfaces } from "node:os";
import { HOST } from "../plan/address.ts";

const PARTS = new RegExp(`^(?<host>${HOST}|)(?::(?<port>\\d{1,5}))?$`);

/** "host:port", "host", "[::1]:80" or ":80". @throws Error for anything else */
export function splitAddress(text: string): { readonly host: string; readonly port: number | null } {
  const parts = PARTS.exec(text)?.groups;
  const port = parts?.port === undefined ? null : Number(parts.port);
  if (parts === undefined || (port !== null && port > 65_535))
    throw new Error(`${text} is no address; expected host:port`);
  return { host: parts.host?.replace(/^\[(.*)\]$/, "$1") || "0.0.0.0", port };
}

/** The other way round. */
export function joinAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What to connect to for a URL: IPv6 addresses stand in brackets there. */
export function endpointOf(url: URL): { readonly host: string; readonly port: number } {
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  return { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port };
}

/**
 * Where no agent of a group is reached, whoever says so: nowhere, many at once, this link alone, and what clouds tell
 * their machines about themselves (credentials among it).
 */
export const NO_LEADERS = new BlockList();
NO_LEADERS.addSubnet("0.0.0.0", 8);
NO_LEADERS.addSubnet("169.254.0.0", 16);
NO_LEADERS.addSubnet("224.0.0.0", 4);
NO_LEADERS.addSubnet("240.0.0.0", 4);
NO_LEADERS.addAddress("168.63.129.16");
NO_LEADERS.addAddress("100.100.100.200");
NO_LEADERS.addAddress("::", "ipv6");
NO_LEADERS.addSubnet("fe80::", 10, "ipv6");
NO_LEADERS.addSubnet("ff00::", 8, "ipv6");
NO_LEADERS.addAddress("fd00:ec2::254", "ipv6");

/** Where others reach this machine, as far as it can tell itself. @param listens the host it listens at */
export function reachableHost(listens: string): string {
  if (listens !== "0.0.0.0" && listens !== "::") return listens.includes(":") ? `[${listens}]` : listens;
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const outside = addresses.filter(({ internal, family }) => !internal && family === "IPv4");
  return outside[0]?.address ?? "127.0.0.1";
}
