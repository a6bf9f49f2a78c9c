/** What a stage sees of what others told: chosen by its `context` patterns, within its `context_limit`. */
import { nameMatcher } from "../../lifecycle/evidence/name-patterns.ts";
import { jsonBytes } from "../../plan/bounds.ts";
import type { PlanStage } from "../../plan/plan.ts";

/** Stage -> key -> value. */
export type ContextOutputs = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface SelectedContext {
  readonly outputs: ContextOutputs;
  /** What there was no room for, as `<stage>.<key>`: the largest first. */
  readonly leftOut: readonly string[];
  /** Patterns that are required and have selected nothing, or not all that they stand for. */
  readonly missing: readonly string[];
}

type Selecting = Pick<PlanStage, "context" | "contextLimit" | "contextRequired">;
interface Entry {
  readonly stage: string;
  readonly key: string;
  readonly value: unknown;
  readonly bytes: number;
}

/** The outputs that a stage's patterns select; over its limit the largest are left out until the rest fits. */
export function selectContext(
  outputs: ContextOutputs,
  { context, contextLimit, contextRequired = [] }: Selecting,
): SelectedContext {
  const patterns = context?.map(nameMatcher) ?? null;
  const entries: Entry[] = [];
  for (const [stage, values] of Object.entries(outputs)) {
    for (const [key, value] of Object.entries(values)) {
      const name = `${stage}.${key}`;
      if (patterns !== null && !patterns.some((matches) => matches(name))) continue;
      entries.push({ stage, key, value, bytes: jsonBytes(value) + Buffer.byteLength(name) + 10 });
    }
  }
  const leftOut = new Set<Entry>();
  let total = entries.reduce((sum, { bytes }) => sum + bytes, 2);
  for (const entry of entries.toSorted((a, b) => b.bytes - a.bytes)) {
    if (total <= contextLimit) break;
    leftOut.add(entry);
    total -= entry.bytes;
  }
  const named = (entry: Entry): string => `${entry.stage}.${entry.key}`;
  const missing = contextRequired.filter((pattern) => {
    const matches = nameMatcher(pattern);
    const wanted = entries.filter((entry) => matches(named(entry)));
    return wanted.length === 0 || wanted.some((entry) => leftOut.has(entry));
  });
  const isWhole = leftOut.size === 0 && patterns === null;
  const kept = isWhole ? outputs : byStage(entries.filter((entry) => !leftOut.has(entry)));
  return { outputs: kept, leftOut: [...leftOut].map(named), missing };
}

function byStage(entries: readonly Entry[]): ContextOutputs {
  const stages = new Map<string, [string, unknown][]>();
  for (const { stage, key, value } of entries) {
    const values = stages.get(stage) ?? [];
    values.push([key, value]);
    stages.set(stage, values);
  }
  return Object.fromEntries([...stages].map(([stage, values]) => [stage, Object.fromEntries(values)]));
}
