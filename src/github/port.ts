/** What this room needs of an Octokit, so that the app's, the action's and a test's fit alike. */
export interface GitHubClient {
  request(
    route: string,
    parameters?: Record<string, unknown>,
  ): Promise<{ status: number; data: unknown; headers: Record<string, string | number | undefined> }>;
  graphql(query: string, variables?: Record<string, unknown>): Promise<unknown>;
}
