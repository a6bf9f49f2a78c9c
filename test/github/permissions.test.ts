import { expect, test } from "vitest";
import { isUndisclosed } from "../../src/github/permissions.ts";

/** As Octokit throws it. */
function refused(status: number, url: string, message: string, headers: Record<string, string> = {}): Error {
  return Object.assign(new Error(message), { status, request: { method: "GET", url }, response: { status, headers } });
}

const MEMBERSHIP = "https://api.github.com/orgs/elsewhere/teams/team/memberships/cleo";
const TOKENS = "https://api.github.com/app/installations/7/access_tokens";

test.each<[string, Error, boolean]>([
  ["a question that the app may not ask", refused(403, MEMBERSHIP, "Resource not accessible by integration"), true],
  ["a rate limit", refused(403, MEMBERSHIP, "API rate limit exceeded"), false],
  ["a secondary rate limit", refused(403, MEMBERSHIP, "Slow down", { "retry-after": "30" }), false],
  ["a used-up rate limit", refused(403, MEMBERSHIP, "No", { "x-ratelimit-remaining": "0" }), false],
  ["credentials that are not accepted", refused(401, MEMBERSHIP, "Bad credentials"), false],
  ["a suspended installation's token", refused(403, TOKENS, "This installation has been suspended"), false],
  ["trouble of GitHub's own", refused(502, MEMBERSHIP, "Bad gateway"), false],
])("%s", (_, error, expected) => {
  expect(isUndisclosed(error)).toBe(expected);
});
