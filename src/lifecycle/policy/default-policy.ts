/** What holds where a repository has no policy of its own, so that the app works from the minute it is installed. */
import type { Policy, PolicyStage } from "./policy.ts";

const plain = {
  owner: null,
  description: null,
  when: null,
  onEnter: [],
  onBack: [],
  back: null,
  maxAgeMs: null,
  onOverdue: [],
  gate: false,
} satisfies Partial<PolicyStage>;

/** Colours of stages that name none, in order; the last of a policy's stages is always green. */
export const STAGE_COLORS = ["1d76db", "fbca04", "5319e7", "d93f0b", "006b75", "b60205"] as const;
export const LAST_STAGE_COLOR = "0e8a16";
export const DEFAULT_OPT_OUT_LABEL = "stagewright/off";

export const DEFAULT_POLICY: Policy = {
  version: 1,
  stages: [
    { ...plain, name: "pr-created", enter: { kind: "draft", draft: false }, color: STAGE_COLORS[0] },
    {
      ...plain,
      name: "ready-for-qa",
      enter: { kind: "label", name: "ready-for-qa", by: null },
      color: STAGE_COLORS[1],
    },
    {
      ...plain,
      name: "approved",
      enter: { kind: "approvals", count: 1, by: null },
      gate: true,
      color: LAST_STAGE_COLOR,
    },
  ],
  onPush: { backTo: "pr-created", cancel: true, exceptBy: [] },
  operators: [],
  taskId: { label: null, branch: null, title: null },
  maxRounds: null,
  checks: "all",
  optOutLabel: DEFAULT_OPT_OUT_LABEL,
};
