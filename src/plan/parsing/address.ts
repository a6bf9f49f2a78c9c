/**
 * What an agent's address may be made of, wherever it comes in: a plan, an input, another agent's message. It gets into
 * host files and command lines of `ssh` and `mpirun`, so nothing in it may end a word, begin a comment or an option.
 */

const NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}";
const IPV6 = String.raw`\[[0-9A-Fa-f:][0-9A-Fa-f:.]{1,44}\]`;

/** A name or an address of a network, IPv6 in brackets. */
export const HOST = `(?:${NAME}|${IPV6})`;
/** With a port. */
export const HOST_AND_PORT = new RegExp(`^${HOST}:[0-9]{1,5}$`);
/** With or without a port. */
export const ADDRESS = new RegExp(`^${HOST}(?::[0-9]{1,5})?$`);
export const NOT_AN_ADDRESS = 'expected a host, or host:port, such as "node1:7761" or "[fd00::1]:7761"';

const PARTS = new RegExp(`^(?<host>${HOST}|)(?::(?<port>[0-9]{1,5}))?$`);

/** Where to connect to, or to listen at. */
export interface Endpoint {
  /** As sockets take it: an IPv6 address without brackets. Null: none is said. */
  readonly host: string | null;
  readonly port: number | null;
}

/** "host:port", "host", "[fd00::1]:80" or ":80". @throws Error for anything else */
export function splitAddress(text: string): Endpoint {
  const parts = PARTS.exec(text)?.groups;
  const port = parts?.port === undefined ? null : Number(parts.port);
  if (parts === undefined || (port !== null && port > 65_535))
    throw new Error(`${text} is no address; expected host:port`);
  return { host: hostOf(text), port };
}

/** The host alone, as sockets and host files take it; null where none is said. */
export function hostOf(text: string): string | null {
  return PARTS.exec(text)?.groups?.host?.replace(/^\[(.*)\]$/, "$1") || null;
}

/** The other way round: an address that other agents, URLs and host files read. @param port null: without one */
export function joinAddress(host: string, port: number | null): string {
  const text = host.includes(":") ? `[${host}]` : host;
  return port === null ? text : `${text}:${port}`;
}
