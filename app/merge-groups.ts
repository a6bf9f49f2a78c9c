/** Whether a merge group may be merged, as far as stages go: a function of where its pull requests are. */
import type { CheckShow } from "../src/github/transition.ts";
import { CHECK_NAME_PREFIX } from "../src/lifecycle/display.ts";
import type { Evaluation } from "../src/lifecycle/evaluation.ts";
import { clip, markdown, oneLine } from "../src/report/escape.ts";

/** One of the group's pull requests. */
export interface GroupMember {
  readonly number: number;
  readonly evaluation: Evaluation;
}

const LONGEST_TITLE = 250;

/**
 * One check run for each stage: success when every pull request of the group has reached it, or has no such stage.
 * A group is merged or not: nothing is left open, since no event would come to end it.
 */
export function groupChecks(members: readonly GroupMember[]): CheckShow[] {
  const names = [...new Set(members.flatMap(({ evaluation }) => evaluation.stages.map((stage) => stage.name)))];
  return names.map((stage) => {
    const behind = members.filter(({ evaluation }) =>
      evaluation.stages.some((each) => each.name === stage && !each.reached),
    );
    const reasons = behind.map(lacks);
    const every = members.map(({ number }) => `#${number}`).join(", ");
    const title = behind.length === 0 ? `Reached by ${every}` : reasons.join("; ");
    return {
      name: `${CHECK_NAME_PREFIX}${stage}`,
      status: "completed",
      conclusion: behind.length === 0 ? "success" : "failure",
      title: clip(oneLine(title), LONGEST_TITLE),
      summary: [
        `The merge group is made of ${every}.`,
        ...reasons.map((reason) => `- ${markdown(oneLine(reason))}`),
      ].join("\n"),
      text: "",
      actions: [],
    };
  });
}

function lacks({ number, evaluation }: GroupMember): string {
  const { stage, missing, inactive, held } = evaluation;
  const where = stage === null ? `#${number} is in no stage` : `#${number} is in ${stage}`;
  const why = held === null ? (missing?.summary ?? (inactive === null ? "" : WORDS[inactive])) : "it is on hold";
  return why === "" ? where : `${where}: ${why}`;
}

const WORDS: Readonly<Record<NonNullable<Evaluation["inactive"]>, string>> = {
  unknown: "nothing is known of it yet",
  draft: "it is a draft",
  closed: "it is closed",
  opted_out: "it has opted out",
  conditions: "the conditions of the first stage do not hold",
};
