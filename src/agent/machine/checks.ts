/** The one list of what can be checked before work begins: for stages with `checks`, and for `stagewright doctor`. */
import type { PreflightCheck } from "../../plan/plan.ts";
import type { CheckContext, CheckOf, Finding } from "./check.ts";
import { checkClock, checkPort, checkReachable } from "./network.ts";
import { checkDisk, checkMemory } from "./resources.ts";
import { checkTool, checkVariable } from "./tools.ts";

const CHECKS: { readonly [K in PreflightCheck["kind"]]: CheckOf<K> } = {
  disk: checkDisk,
  memory: checkMemory,
  tool: checkTool,
  variable: checkVariable,
  reachable: checkReachable,
  port: checkPort,
  clock: checkClock,
};

/** A check that hangs (a dead network mount) is one that failed. */
const LONGEST_MS = 15_000;

/** What is wrong, in the checks' order; looked at side by side, so that the slowest one decides how long it takes. */
export async function findingsOf(
  checks: readonly PreflightCheck[],
  context: CheckContext,
): Promise<readonly Finding[]> {
  const found = await Promise.all(checks.map((check) => look(check, context)));
  return found.filter((finding) => finding !== null);
}

async function look(check: PreflightCheck, context: CheckContext): Promise<Finding | null> {
  // The table has for each kind a check of that kind.
  const carryOut = CHECKS[check.kind] as (check: PreflightCheck, context: CheckContext) => ReturnType<CheckOf<"disk">>;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Omit<Finding, "what">>((resolve) => {
    timer = setTimeout(() => {
      resolve({
        category: "system",
        message: `no answer within ${LONGEST_MS / 1000} s`,
        remedy: "see what hangs there",
      });
    }, LONGEST_MS);
  });
  const finding = await Promise.race([carryOut(check, context), late]);
  clearTimeout(timer);
  return finding === null ? null : { what: checkText(check), ...finding };
}

/** What is looked at, in words: "disk /data". */
export function checkText(check: PreflightCheck): string {
  switch (check.kind) {
    case "disk":
      return `disk ${check.path}`;
    case "tool":
    case "variable":
      return `${check.kind} ${check.name}`;
    case "reachable":
      return `reachable ${check.address}`;
    case "port":
      return `port ${check.port}`;
    case "memory":
    case "clock":
      return check.kind;
    default:
      return check satisfies never;
  }
}

/** One line: what, what is wrong, whose turn it is, what to do. */
export function findingText({ what, message, category, remedy }: Finding): string {
  return `${what}: ${message} (${category}: ${remedy})`;
}
