/** Waits for a person: for whom, how long, and what becomes of it. */
import type { Approval, PlanStage } from "./plan.ts";

/** A user, an app, or a team of an organization, as GitHub writes their names. */
export const APPROVERS =
  /^(?:[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\[bot\])?|@[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100})$/;

/** A person may take so long unless the stage says otherwise: as long as a stage may that does not say its timeout. */
const APPROVAL_TIMEOUT_MS = 6 * 3_600_000;

/** What is written, with all that is left out. */
export function approvalOf(said: {
  readonly by?: readonly string[] | undefined;
  readonly timeout?: number | undefined;
  readonly on_timeout?: Approval["onTimeout"] | undefined;
}): Approval {
  const { by = [], timeout = APPROVAL_TIMEOUT_MS, on_timeout = "fail" } = said;
  return { by: [...new Set(by)], timeoutMs: timeout, onTimeout: on_timeout };
}

/** How long a person may take before (or after) this stage. */
export function approvalTimeoutMs(stage: PlanStage | undefined): number {
  return stage?.approval?.timeoutMs ?? APPROVAL_TIMEOUT_MS;
}

/** Who is waited for, in words. */
export function approversText({ approval }: Pick<PlanStage, "approval">): string {
  const by = approval?.by ?? [];
  const named = by.slice(0, NAMED);
  if (named.length === 0) return "a person";
  return `${named.join(" or ")}${by.length > named.length ? ` or ${by.length - named.length} others` : ""}`;
}

const NAMED = 10;
