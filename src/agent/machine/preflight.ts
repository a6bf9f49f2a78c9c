/** What an attempt comes to whose machine lacks something: everything that is wrong, told at once. */
import type { PreflightCheck } from "../../plan/plan.ts";
import type { AttemptEnd } from "../../run/types.ts";
import type { CheckContext } from "./check.ts";
import { findingsOf, findingText } from "./checks.ts";

/** @param tell each finding: its kind of fault, and the whole of it in a line */
export async function preflightEnd(
  checks: readonly PreflightCheck[],
  context: CheckContext,
  tell: (finding: { readonly title: string; readonly text: string }) => void,
): Promise<AttemptEnd | null> {
  const findings = await findingsOf(checks, context);
  if (findings.length === 0) return null;
  for (const finding of findings) tell({ title: `${finding.category}: ${finding.what}`, text: findingText(finding) });
  const all = findings.map(findingText).join("; ");
  return { kind: "checks_failed", message: `${findings.length} of ${checks.length} checks failed: ${all}` };
}
