/**
 * Ids are sent as text, in addresses, queries and bodies alike: Octokit leaves a bigint out of an address, and a number
 * may have lost digits.
 */
export interface RequestParameters {
  readonly [name: string]: unknown;
  readonly [id: `${string}_id`]: string | undefined;
}

/** What this room needs of an Octokit, so that the app's, the action's and a test's fit alike. */
export interface GitHubClient {
  request(
    route: string,
    parameters?: RequestParameters,
  ): Promise<{ status: number; data: unknown; headers: Record<string, string | number | undefined> }>;
  graphql(query: string, variables?: Record<string, unknown>): Promise<unknown>;
}
