/** Others that commands talk to, a port that they listen at, and the clock by which all of them tell the time. */
import { connect, createServer } from "node:net";
import { splitAddress } from "../../plan/parsing/address.ts";
import type { CheckOf, Finding } from "./check.ts";

const ANSWER_MS = 5_000;

export const checkReachable: CheckOf<"reachable"> = ({ address }, { signal }) =>
  new Promise((done) => {
    const { host, port } = splitAddress(address);
    const socket = connect({ host: host ?? "localhost", port: port ?? 0, timeout: ANSWER_MS });
    const end = (finding: Omit<Finding, "what"> | null): void => {
      socket.destroy();
      signal.removeEventListener("abort", onAbort);
      done(finding);
    };
    const onAbort = (): void => end(null);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("connect", () => end(null));
    socket.once("timeout", () =>
      end(network(`no answer within ${ANSWER_MS / 1000} s`, "let the machines reach each other (firewall, route)")),
    );
    socket.once("error", (error: NodeJS.ErrnoException) => end(unreachable(error)));
  });

function unreachable({ code, message }: NodeJS.ErrnoException): Omit<Finding, "what"> {
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return network("its name does not resolve", "look at the name, and at the machine's name servers");
    case "ECONNREFUSED":
      return network("nothing listens there", "start what should, or look at the port");
    default:
      return network(message, "let the machines reach each other (firewall, route)");
  }
}

function network(message: string, remedy: string): Omit<Finding, "what"> {
  return { category: "network", message, remedy };
}

export const checkPort: CheckOf<"port"> = ({ port }) =>
  new Promise((done) => {
    const server = createServer();
    server.once("error", ({ code, message }: NodeJS.ErrnoException) => {
      if (code === "EADDRINUSE") {
        done({
          category: "resource",
          message: "something listens there already",
          remedy: "end it, or take another port",
        });
      } else if (code === "EACCES") {
        done({ category: "permission", message: "this user may not listen there", remedy: "take a port above 1023" });
      } else done({ category: "system", message, remedy: "look at the machine's network" });
    });
    server.listen({ port }, () => server.close(() => done(null)));
  });

export const checkClock: CheckOf<"clock"> = async ({ mostMs }, { clockOffsetMs }) => {
  if (clockOffsetMs === null || Math.abs(clockOffsetMs) <= mostMs) return null;
  const how = clockOffsetMs > 0 ? "behind" : "ahead of";
  return {
    category: "system",
    message: `it is ${Math.round(Math.abs(clockOffsetMs))} ms ${how} the coordinator's, at most ${Math.round(mostMs)} ms are allowed`,
    remedy: "set it by NTP (timedatectl set-ntp true)",
  };
};
