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
