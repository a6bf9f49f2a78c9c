/**
 * Proxies: the one way in which action, command and app make connections. Entries say once what the environment says
 * (`useProxies`); requests by `fetch` (GitHub's API, OIDC tokens, key sets) follow from then on, and what makes sockets
 * of its own (agents and their coordinator) asks `agentOptions`.
 *
 * Node carries the tunnels; which hosts are excepted is decided here, because Node knows no networks (10.0.0.0/8) and
 * would send what is on this machine to the proxy.
 */
import type http from "node:http";
import { BlockList, isIP } from "node:net";

type Environment = Readonly<Record<string, string | undefined>>;

interface Settings {
  readonly byProtocol: { readonly "http:": URL | null; readonly "https:": URL | null };
  readonly excepted: (host: string, port: string) => boolean;
}

/** A proxy that is set, but is none that can be used. The message names the variable. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
}

let settings: Settings | null = null;
let takeBack: () => void = () => undefined;

/**
 * From now on connections go through the proxies of HTTPS_PROXY and HTTP_PROXY but for the hosts of NO_PROXY (in small
 * letters, too, which win).
 * @returns how they go, to be logged; null: there are none @throws ProxyError
 */
export async function useProxies(env: Environment): Promise<string | null> {
  const said = (name: string): string => (env[name.toLowerCase()] || env[name] || "").trim();
  const [https, plain] = [proxyOf("HTTPS_PROXY", said("HTTPS_PROXY")), proxyOf("HTTP_PROXY", said("HTTP_PROXY"))];
  takeBack();
  takeBack = () => undefined;
  settings = null;
  if (https === null && plain === null) return null;
  const { setGlobalProxyFromEnv } = await import("node:http");
  if (typeof setGlobalProxyFromEnv !== "function") {
    throw new ProxyError(`HTTPS_PROXY and HTTP_PROXY need Node 24.14 or later, this is ${process.versions.node}`);
  }
  const exceptions = said("NO_PROXY")
    .split(/[\s,]+/)
    .filter((entry) => entry !== "");
  settings = { byProtocol: { "http:": plain, "https:": https }, excepted: exceptionsOf(exceptions) };
  takeBack = setGlobalProxyFromEnv({
    ...(https === null ? {} : { HTTPS_PROXY: https.href }),
    ...(plain === null ? {} : { HTTP_PROXY: plain.href }),
    // It takes a bare name for that host alone.
    NO_PROXY: [
      ...OWN,
      ...exceptions.flatMap((entry) => (/^[*.]|^[\d.:[\]/]+$/.test(entry) ? entry : [entry, `.${entry}`])),
    ].join(","),
  });
  const ways = [
    https === null ? [] : `https by ${shown(https)}`,
    plain === null ? [] : `http by ${shown(plain)}`,
  ].flat();
  return `connections go through a proxy: ${ways.join(", ")}${exceptions.length > 0 ? `; not to ${exceptions.join(", ")}` : ""}`;
}

/** The proxy that connections to this address go through, as it may be shown; null: they go directly. */
export function proxyFor(url: URL): string | null {
  const proxy = chosen(url);
  return proxy === null ? null : shown(proxy);
}

/** For `new http.Agent` and `new https.Agent` of connections to this address. */
export function agentOptions(url: URL): Pick<http.AgentOptions, "proxyEnv"> {
  const proxy = chosen(url);
  return proxy === null ? {} : { proxyEnv: { HTTP_PROXY: proxy.href, HTTPS_PROXY: proxy.href } };
}

/** What went wrong with a connection to this address, naming the proxy where one is on the way. */
export function connectionProblem(error: unknown, url: URL): string {
  const { cause } = error instanceof Error ? error : { cause: undefined };
  // fetch says that it failed, and why in its cause.
  const inner = cause instanceof Error && cause.message !== "" ? cause : error;
  const message = inner instanceof Error ? inner.message || String(inner) : String(inner);
  const proxy = proxyFor(url);
  if (proxy === null) return message;
  return `${message} (through the proxy ${proxy}; NO_PROXY names the hosts that are reached without it)`;
}

function chosen({ protocol, hostname, port }: URL): URL | null {
  if (settings === null || (protocol !== "http:" && protocol !== "https:")) return null;
  const proxy = settings.byProtocol[protocol];
  const host = hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return proxy === null || isOwn(host) || settings.excepted(host, port || (protocol === "https:" ? "443" : "80"))
    ? null
    : proxy;
}

/** This machine: no proxy reaches it. */
const OWN = ["localhost", "127.0.0.1", "::1"] as const;

function isOwn(host: string): boolean {
  const loopback = new BlockList();
  loopback.addSubnet("127.0.0.0", 8);
  loopback.addAddress("::1", "ipv6");
  return host === "localhost" || host.endsWith(".localhost") || isIn(loopback, host);
}

function isIn(list: BlockList, host: string): boolean {
  const family = isIP(host);
  return family !== 0 && list.check(host, family === 6 ? "ipv6" : "ipv4");
}

/** `*`; names with all below them (with or without a dot or star before); addresses, networks; each with or without a port. */
function exceptionsOf(entries: readonly string[]): Settings["excepted"] {
  const networks = new BlockList();
  const names: { readonly name: string; readonly port: string | null }[] = [];
  for (const entry of entries) {
    const [, network = "", bits = ""] = /^([\da-fA-F.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
    const family = isIP(network);
    if (family !== 0 && Number(bits) <= (family === 4 ? 32 : 128)) {
      networks.addSubnet(network, Number(bits), family === 6 ? "ipv6" : "ipv4");
      continue;
    }
    const [, name = entry, port = null] = isIP(entry) === 6 ? [] : (/^(.*?)(?::(\d{1,5}))?$/.exec(entry) ?? []);
    names.push({
      name: name
        .replace(/^\[(.*)\]$/, "$1")
        .replace(/^\*?\./, "")
        .toLowerCase(),
      port: port ?? null,
    });
  }
  return (host, port) =>
    isIn(networks, host) ||
    names.some(
      ({ name, port: only }) =>
        (only === null || only === port) &&
        (name === "*" || host === name || (isIP(host) === 0 && host.endsWith(`.${name}`))),
    );
}

function proxyOf(variable: string, text: string): URL | null {
  if (text === "") return null;
  const written = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(written) ? new URL(written) : null;
  if (url === null || url.hostname === "")
    throw new ProxyError(`${variable}: expected a proxy such as http://proxy:3128`);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new ProxyError(
      `${variable}: a proxy by ${url.protocol}// cannot be used, expected one such as http://proxy:3128`,
    );
  }
  return url;
}

/** Without the password that may stand in it. */
function shown({ protocol, host }: URL): string {
  return `${protocol}//${host}`;
}
