/** Where a result comes from: what its record tells so that it can be published, and measured again. */
import { planDigest } from "../../plan/canonical.ts";
import type { Plan, Scalar } from "../../plan/plan.ts";
import type { RunKey } from "../../run/types.ts";
import type { Mask } from "../masked.ts";

/** The version of what `json.ts` writes: rises when something that a reader may rely on goes away or means something else. */
export const RESULT_VERSION = 1;

export interface Provenance {
  readonly key: RunKey;
  readonly planDigest: string;
  /** The same without what its stages expect: runs with the same one may be compared. */
  readonly workDigest: string;
  /** Masked. */
  readonly params: Readonly<Record<string, Scalar>>;
  readonly commit: string | null;
  /** Of this program. */
  readonly version: string;
}

export function provenanceOf(
  {
    key,
    plan,
    ...others
  }: { readonly key: RunKey; readonly plan: Plan; readonly commit: string | null; readonly version: string },
  mask: Mask,
): Provenance {
  const params = Object.entries(plan.params).map(([name, value]): [string, Scalar] => {
    const text = mask.text(String(value));
    return [name, text === String(value) ? value : text];
  });
  return {
    key,
    planDigest: planDigest(plan),
    workDigest: workDigestOf(plan),
    params: Object.fromEntries(params),
    ...others,
  };
}

export function workDigestOf(plan: Plan): string {
  return planDigest({ ...plan, stages: plan.stages.map((stage) => ({ ...stage, expect: [], baselines: undefined })) });
}
