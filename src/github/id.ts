/**
 * Ids that GitHub gives. They are opaque, and a double does not hold all of them: those of webhook deliveries have been
 * beyond 2^53 since 2026-02. Octokit reads such a one as a bigint, and leaves a bigint out of the address that it makes
 * (octokit/endpoint.js#546). So they are read from whatever form they come in, kept as text and sent as text.
 */
import { z } from "zod";

/** As many as an unsigned integer of 64 bits has. */
const MOST_DIGITS = 20;
const DIGITS = /^(?:0|[1-9]\d{0,19})$/u;

const given = z.union(
  // A number beyond 2^53 has lost digits already: it names something else.
  [
    z.string().regex(DIGITS),
    z.int().nonnegative(),
    z
      .bigint()
      .nonnegative()
      .lt(10n ** BigInt(MOST_DIGITS)),
  ],
  { error: "expected an id: at most 20 digits, and as a number one that is held exactly" },
);

/** Any id, as text: of deliveries, workflow runs, jobs, check runs, comments, reviews, … */
export const githubId = given.transform(String);

/**
 * The id of a user, team, organization, app, installation or repository, as a number: there are so few of them that 2^53
 * is far away. One that is larger is refused instead of rounded to somebody else's.
 */
export const smallId = given.transform((id, context) => {
  const number = Number(id);
  if (!Number.isSafeInteger(number)) {
    context.addIssue({
      code: "custom",
      message: `expected an id below 2^53, got ${id}: it cannot be kept as a number`,
    });
    return z.NEVER;
  }
  return number;
});

/** The id that an address ends with; null: it ends with none. */
export function idAtEnd(address: string | null | undefined): string | null {
  return githubId.safeParse(address?.slice(address.lastIndexOf("/") + 1)).data ?? null;
}
