/** The JSON file with the outputs of earlier stages that a stage asked for (`context`, `context_limit`). */
import type { PlanStage } from "../plan/plan.ts";

type Outputs = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * The selected outputs as JSON: stage -> key -> value. Over the stage's limit the largest are left out until it fits,
 * and named in `leftOut`, so that the command's author learns of it.
 */
export async function contextFile(
  outputs: Outputs,
  stage: PlanStage,
): Promise<{ readonly json: string; readonly leftOut: readonly string[] }> {
  let wanted: (name: string) => boolean = () => true;
  if (stage.context !== null) {
    const { default: picomatch } = await import("picomatch");
    wanted = picomatch([...stage.context], { dot: true });
  }
  const entries = Object.entries(outputs).flatMap(([stageName, values]) =>
    Object.entries(values)
      .map(([key, value]) => ({ stageName, key, json: JSON.stringify(value) ?? "null" }))
      .filter(({ key }) => wanted(`${stageName}.${key}`)),
  );
  const cost = (entry: { stageName: string; key: string; json: string }): number =>
    Buffer.byteLength(entry.json) + Buffer.byteLength(entry.key) + Buffer.byteLength(entry.stageName) + 10;
  let total = entries.reduce((sum, entry) => sum + cost(entry), 2);
  const leftOut = new Set<(typeof entries)[number]>();
  for (const entry of entries.toSorted((a, b) => cost(b) - cost(a))) {
    if (total <= stage.contextLimit) break;
    leftOut.add(entry);
    total -= cost(entry);
  }
  const byStage = new Map<string, string[]>();
  for (const entry of entries) {
    if (leftOut.has(entry)) continue;
    const members = byStage.get(entry.stageName) ?? [];
    members.push(`${JSON.stringify(entry.key)}:${entry.json}`);
    byStage.set(entry.stageName, members);
  }
  const json = `{${[...byStage].map(([name, members]) => `${JSON.stringify(name)}:{${members.join(",")}}`).join(",")}}\n`;
  return { json, leftOut: [...leftOut].map((entry) => `${entry.stageName}.${entry.key}`) };
}
