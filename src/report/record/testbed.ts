/** What a run was measured on, in one word: two runs with the same one may be compared. */
import { createHash } from "node:crypto";
import { canonicalJson } from "../../plan/canonical.ts";
import type { AgentMachine } from "../../run/result/record.ts";

const GIB = 1024 ** 3;

/**
 * A fingerprint of the group's machines: how many, in which roles, their processors, memory and system. Not the runners'
 * names, which are given anew each time, nor what a system's update within its release changes. Null when not all of
 * them said what they are.
 */
export function testbedOf(agents: readonly AgentMachine[]): string | null {
  if (agents.length === 0 || agents.some(({ machine }) => machine === null)) return null;
  const facts = agents.flatMap(({ role, machine }) => {
    if (machine === null) return [];
    const { cores, memoryBytes, cpu, os, kernel, arch } = machine;
    const release = /^[0-9]+(?:\.[0-9]+)?/u.exec(kernel)?.[0] ?? kernel;
    return [canonicalJson({ role, cores, memory: Math.round(memoryBytes / GIB), cpu, os, release, arch })];
  });
  return createHash("sha256").update(facts.sort().join("\n")).digest("hex").slice(0, 16);
}
