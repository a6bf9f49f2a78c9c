/**
 * Clients that do as GitHub says: once it has asked an installation to wait, none of that installation's requests is
 * sent before then, whoever would send it. Nor is any for an installation that may be another process's by now.
 */
import type { GitHubClient } from "../../src/github/port.ts";
import { requestFailure } from "../../src/github/request-failure.ts";
import type { Ownership } from "../work/replicas/ownership.ts";
import type { Timings } from "../work/timings.ts";
import type { InstallationWriter, InstallationWriters } from "../work/writer/installation-writer.ts";
import type { Clients } from "./clients.ts";

export interface HeldClientsOptions {
  readonly clients: Clients;
  readonly now: () => number;
  readonly timings: Pick<Timings, "rateLimitPause">;
  readonly ownership: Pick<Ownership, "assertOwned">;
}

/** In place of GitHub's own answer, as its client would throw it: nothing was sent. */
class StillHeld extends Error {
  override readonly name = "StillHeld";
  readonly status = 429;
  readonly response: { readonly headers: Readonly<Record<string, string>> };

  constructor(ms: number) {
    super("GitHub has asked to be left alone for a while");
    this.response = { headers: { "retry-after": String(Math.ceil(ms / 1_000)) } };
  }
}

export function heldClients(options: HeldClientsOptions, writers: InstallationWriters): Clients {
  const { clients } = options;
  return {
    app: () => clients.app(),
    installation: async (id) => held(await clients.installation(id), writers.of(id), options),
  };
}

function held(
  client: GitHubClient,
  writer: InstallationWriter,
  { now, timings, ownership }: HeldClientsOptions,
): GitHubClient {
  const obeying = async <T>(send: () => Promise<T>): Promise<T> => {
    ownership.assertOwned();
    if (writer.isHeld) {
      throw new StillHeld(writer.heldUntil - now());
    }
    try {
      return await send();
    } catch (error) {
      const failure = requestFailure(error, now());
      if (failure.kind === "rate_limit") {
        writer.holdFor(failure.retryAfterMs ?? timings.rateLimitPause);
      }
      throw error;
    }
  };
  return {
    request: (route, parameters) => obeying(() => client.request(route, parameters)),
    graphql: (query, variables) => obeying(() => client.graphql(query, variables)),
  };
}
