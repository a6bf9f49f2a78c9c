/** GitHub clients, one for each installation, and what the app knows of itself. */
import { LRUCache } from "lru-cache";
import type { GitHubClient } from "../../src/github/port.ts";
import { away } from "../work/in-progress/away.ts";

export interface Ourselves {
  readonly appId: number;
  /** Our bot's login; null: not known yet. */
  readonly botLogin: string | null;
}

export interface Clients {
  /** Throws what fetching an installation's token throws. */
  installation(id: number): Promise<GitHubClient>;
  /** As the app itself. */
  app(): Promise<GitHubClient>;
}

const MOST_CLIENTS = 1_000;

/** `auth`: Probot's, which gives a client of an installation, or without an id the app's own. */
export function createClients(auth: (installationId?: number) => Promise<GitHubClient>): Clients {
  const clients = new LRUCache<number, Promise<GitHubClient>>({ max: MOST_CLIENTS });
  return {
    installation: async (id) => {
      const known = clients.get(id);
      if (known !== undefined) {
        return await known;
      }
      const made = away(() => auth(id)).then(watchedClient);
      clients.set(id, made);
      try {
        return await made;
      } catch (error) {
        clients.delete(id);
        throw error;
      }
    },
    app: async () => watchedClient(await auth()),
  };
}

/** The same; whoever watches a piece of work is told when it waits for GitHub. */
export function watchedClient(client: GitHubClient): GitHubClient {
  return {
    request: (route, parameters) => away(() => client.request(route, parameters)),
    graphql: (query, variables) => away(() => client.graphql(query, variables)),
  };
}
