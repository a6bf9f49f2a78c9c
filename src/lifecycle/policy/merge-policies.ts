/** A policy from what files say: one file over the one that it extends, then the defaults. */
import { DEFAULT_OPT_OUT_LABEL, LAST_STAGE_COLOR, STAGE_COLORS } from "./default-policy.ts";
import { type Action, ALWAYS, type Names, type OnPush, type Policy, type PolicyStage, type TaskId } from "./policy.ts";

/** What a file says of a stage; the rest comes from the stage of the same name that it extends, or by default. */
export type StageParts = Partial<PolicyStage> & Pick<PolicyStage, "name">;

/** What a file says. */
export interface PolicyParts {
  readonly stages?: readonly StageParts[];
  readonly onPush?: Partial<OnPush>;
  readonly operators?: Names;
  readonly taskId?: TaskId;
  readonly maxRounds?: number;
  readonly checks?: Policy["checks"];
  readonly optOutLabel?: string;
}

/**
 * What both say together: each key of `own` replaces that of `base`. The list of stages is `own`'s, if it has one;
 * a stage with the name of one of `base` takes from that one the keys it does not give itself.
 */
export function mergePolicies(base: PolicyParts, own: PolicyParts): PolicyParts {
  const stages = own.stages?.map((stage) => ({
    ...base.stages?.find((other) => other.name === stage.name),
    ...stage,
  }));
  return { ...base, ...own, ...(stages === undefined ? {} : { stages }) };
}

/** The whole policy. `parts.stages` must hold at least one stage, each with a condition for entering it. */
export function completePolicy(parts: PolicyParts): Policy {
  const stages = parts.stages ?? [];
  const someGate = stages.some((stage) => stage.gate === true);
  return {
    version: 1,
    stages: stages.map((stage, index) => completeStage(stage, index, index === stages.length - 1, someGate)),
    onPush: {
      backTo: parts.onPush?.backTo === undefined ? (stages[0]?.name ?? null) : parts.onPush.backTo,
      cancel: parts.onPush?.cancel ?? true,
      exceptBy: parts.onPush?.exceptBy ?? [],
    },
    operators: parts.operators ?? [],
    taskId: parts.taskId ?? { label: null, branch: null, title: null },
    maxRounds: parts.maxRounds ?? null,
    checks: parts.checks ?? "all",
    optOutLabel: parts.optOutLabel ?? DEFAULT_OPT_OUT_LABEL,
  };
}

const REMIND: Action = {
  kind: "comment",
  body: "{{owner}} This pull request has been in {{stage}} for longer than the policy allows: {{reason}}.",
};

function completeStage(stage: StageParts, index: number, last: boolean, someGate: boolean): PolicyStage {
  const maxAgeMs = stage.maxAgeMs ?? null;
  return {
    name: stage.name,
    owner: stage.owner ?? null,
    description: stage.description ?? null,
    enter: stage.enter ?? ALWAYS,
    when: stage.when ?? null,
    onEnter: stage.onEnter ?? [],
    onBack: stage.onBack ?? [],
    back: stage.back ?? null,
    maxAgeMs,
    onOverdue: stage.onOverdue ?? (maxAgeMs === null ? [] : [REMIND]),
    gate: stage.gate ?? (last && !someGate),
    color: stage.color ?? (last ? LAST_STAGE_COLOR : (STAGE_COLORS[index % STAGE_COLORS.length] ?? LAST_STAGE_COLOR)),
  };
}
