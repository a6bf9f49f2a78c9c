/** Whether a merge group may be merged, as far as stages go: a function of where its pull requests are. */
import type { CheckShow } from "../../../src/github/pulls/transition.ts";
import type { Evaluation, Hold } from "../../../src/lifecycle/evaluation/evaluation.ts";
import { CHECK_NAME_PREFIX } from "../../../src/lifecycle/policy/policy.ts";
import { closedBy } from "../../../src/lifecycle/presentation/gate-checks.ts";
import { sayHold, unholdOf } from "../../../src/lifecycle/presentation/hold.ts";
import { clip, markdown, oneLine } from "../../../src/report/escape.ts";

/** One of the group's pull requests. */
export interface GroupMember {
  readonly number: number;
  readonly evaluation: Evaluation;
}

const LONGEST_TITLE = 250;

/**
 * One check run for each stage: success when every pull request of the group has reached it, or has no such stage. One
 * on hold fails the group whatever it has reached. A group is merged or not: nothing is left open, since no event would
 * come to end it.
 */
export function groupChecks(members: readonly GroupMember[]): CheckShow[] {
  return stagesOf(members).map((stage) => {
    const kept = members.filter((member) => isHeldItself(member) || !hasPassed(member, stage));
    const reasons = kept.map(lacks);
    const concerned = members.filter(({ evaluation }) => evaluation.stages.some(({ name }) => name === stage));
    const passed =
      concerned.length === 0 ? `Applies to none of ${numbersOf(members)}` : `Reached by ${numbersOf(concerned)}`;
    return {
      name: `${CHECK_NAME_PREFIX}${stage}`,
      status: "completed",
      conclusion: kept.length === 0 ? "success" : "failure",
      title: clip(oneLine(kept.length === 0 ? passed : reasons.join("; ")), LONGEST_TITLE),
      summary: [
        `The merge group is made of ${numbersOf(members)}.`,
        ...reasons.map((reason) => `- ${markdown(oneLine(reason))}`),
      ].join("\n"),
      text: "",
      actions: [],
    };
  });
}

/** The same while the repository is on hold: all of it waits, until the hold is ended or GitHub gives up. */
export function heldGroupChecks(members: readonly GroupMember[], hold: Hold): CheckShow[] {
  const passed = { status: "completed", conclusion: "success", title: "", text: "", actions: [] } as const;
  const summary = `The merge group is made of ${numbersOf(members)}.`;
  return stagesOf(members).map((stage) =>
    closedBy<CheckShow>({ ...passed, name: `${CHECK_NAME_PREFIX}${stage}`, summary }, hold),
  );
}

/** Of its own, not with the whole repository: which makes the group wait, and does not fail it. */
export function isHeldItself({ evaluation }: Pick<GroupMember, "evaluation">): boolean {
  return evaluation.held !== null && evaluation.held.why !== "repository";
}

/** Stages of any of them, gates that apply to none included: a queue that requires them waits for each. */
function stagesOf(members: readonly GroupMember[]): string[] {
  const all = members.flatMap(({ evaluation }) => [
    ...evaluation.stages.map(({ name }) => name),
    ...evaluation.notApplying.filter(({ gate }) => gate).map(({ name }) => name),
  ]);
  return [...new Set(all)];
}

function hasPassed({ evaluation }: GroupMember, stage: string): boolean {
  return !evaluation.stages.some((each) => each.name === stage && !each.reached);
}

function numbersOf(members: readonly GroupMember[]): string {
  return members.map(({ number }) => `#${number}`).join(", ");
}

function lacks(member: GroupMember): string {
  const { number, evaluation } = member;
  const { stage, missing, inactive, held } = evaluation;
  if (held !== null && isHeldItself(member)) {
    return `${sayHold(held, `#${number} is`)}; ${unholdOf(held)} ends it`;
  }
  const where = stage === null ? `#${number} is in no stage` : `#${number} is in ${stage}`;
  const why = missing?.summary ?? (inactive === null ? "" : WORDS[inactive]);
  return why === "" ? where : `${where}: ${why}`;
}

const WORDS: Readonly<Record<NonNullable<Evaluation["inactive"]>, string>> = {
  unknown: "nothing is known of it yet",
  draft: "it is a draft",
  closed: "it is closed",
  opted_out: "it has opted out",
  conditions: "the conditions of the first stage do not hold",
};
