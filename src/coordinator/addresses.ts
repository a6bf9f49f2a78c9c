/** Addresses of machines in a network, as people write them. */
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

/** Where others reach this machine, as far as it can tell itself. @param listens the host it listens at */
export function reachableHost(listens: string): string {
  if (listens !== "0.0.0.0" && listens !== "::") return listens.includes(":") ? `[${listens}]` : listens;
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const outside = addresses.filter(({ internal, family }) => !internal && family === "IPv4");
  return outside[0]?.address ?? "127.0.0.1";
}
