/** What a check is, and what it found wrong. */
import type { PreflightCheck } from "../../plan/plan.ts";
import type { Processes } from "../process/process.ts";

/** Whose turn it is to put something right. */
export type FindingCategory = "authentication" | "permission" | "network" | "configuration" | "resource" | "system";

export interface Finding {
  readonly category: FindingCategory;
  /** What was looked at: "disk /data". */
  readonly what: string;
  /** What is wrong with it. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

export interface CheckContext {
  /** What the stage's command is started with. */
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly processes: Processes;
  /** How far this machine's clock is from the coordinator's; null: there is none. */
  readonly clockOffsetMs: number | null;
  readonly signal: AbortSignal;
}

export type CheckOf<K extends PreflightCheck["kind"]> = (
  check: Extract<PreflightCheck, { kind: K }>,
  context: CheckContext,
) => Promise<Omit<Finding, "what"> | null>;
