import type { GitHubClient } from "../../../src/github/port.ts";
import type { PullPlace } from "../../../src/github/pulls/comments.ts";
import { type Reviewers, readReviewRequests, requestReviews } from "../../../src/github/pulls/review-requests.ts";
import type { Facts } from "../../../src/lifecycle/facts/facts.ts";
import { failureOfWork } from "../../work/failure.ts";
import { type EffectContext, type EffectHandler, type Performed, placeOf } from "../handler.ts";
import { staleReason } from "../staleness.ts";

const INVALID = 422;

/** Asks those who have neither been asked nor reviewed this commit; who cannot be asked is said, and is no failure. */
export const requestReview: EffectHandler<"request_review"> = async (wanted, context) => {
  const late = await staleReason(context);
  if (late !== null) {
    return { state: "dropped", reason: late };
  }
  const { client, pull, repository, signal } = context;
  const place = placeOf(context);
  const asked = await readReviewRequests(client, place, signal);
  const said: string[] = [];
  const reviewed = pull === null ? new Set<string>() : reviewersOfHead(pull.facts);
  const author = pull?.facts.author.login.toLowerCase() ?? "";
  const users = wanted.users.filter((login) => {
    const key = login.toLowerCase();
    if (key === author) {
      said.push(`${login} is the author, whom GitHub does not ask`);
    } else if (reviewed.has(key)) {
      said.push(`${login} has reviewed this commit`);
    }
    return key !== author && !reviewed.has(key) && !has(asked.users, login);
  });
  const teams = wanted.teams.flatMap((name) => {
    const [organization = "", slug = ""] = name.split("/");
    if (organization.toLowerCase() !== repository.owner.toLowerCase()) {
      said.push(`@${name} is no team of ${repository.owner}, to which the repository belongs`);
      return [];
    }
    return has(asked.teams, slug) ? [] : [slug];
  });
  const { taken, refused } = await ask({ users, teams }, place, context);
  return outcome(taken, [...said, ...refused], refused.length > 0 && taken.length === 0);
};

interface Asked {
  readonly taken: readonly string[];
  /** One sentence each. */
  readonly refused: readonly string[];
}

/** All at once; when GitHub refuses that for somebody's sake, one after the other, to learn for whose. */
async function ask(reviewers: Reviewers, place: PullPlace, { write, signal, now }: EffectContext): Promise<Asked> {
  const { users, teams } = reviewers;
  const each: Reviewers[] = [
    ...users.map((login) => ({ users: [login], teams: [] })),
    ...teams.map((slug) => ({ users: [], teams: [slug] })),
  ];
  if (each.length === 0) {
    return { taken: [], refused: [] };
  }
  const send = (some: Reviewers) => (client: GitHubClient) => requestReviews(client, place, some, signal);
  const taken: string[] = [];
  const refused: string[] = [];
  for (const some of each.length === 1 ? each : [reviewers, ...each]) {
    try {
      await write(send(some));
      taken.push(...some.users, ...some.teams);
      if (some === reviewers) {
        break;
      }
    } catch (error) {
      const failure = failureOfWork(error, now());
      if (failure.status !== INVALID) {
        throw error;
      }
      if (some !== reviewers) {
        refused.push(`${[...some.users, ...some.teams].join()} cannot be asked: ${failure.message}`);
      }
    }
  }
  return { taken, refused };
}

function outcome(taken: readonly string[], said: readonly string[], nobody: boolean): Performed {
  const text = [...(taken.length > 0 ? [`asked ${taken.join(", ")} for a review`] : []), ...said].join("; ");
  return nobody ? { state: "refused", reason: text } : { state: "done", note: text === "" ? null : text };
}

function has(names: readonly string[], name: string): boolean {
  return names.some((each) => each.toLowerCase() === name.toLowerCase());
}

/** Logins, in lower case, of those whose review of the head commit stands. */
function reviewersOfHead({ acts, head }: Facts): Set<string> {
  const dismissed = new Set(acts.flatMap((act) => (act.kind === "review_dismissed" ? [act.reviewId] : [])));
  return new Set(
    acts.flatMap((act) =>
      act.kind === "review" && act.sha === head.sha && !dismissed.has(act.reviewId) ? [act.by.login.toLowerCase()] : [],
    ),
  );
}
