import { z } from "zod";
import { proseLines } from "../facts/prose.ts";
import { bare, shortText } from "../policy/value-schemas.ts";
import { type ConditionDefinition, concernsNone, fails, holds } from "./condition.ts";

export const checklist: ConditionDefinition<"checklist"> = {
  kind: "checklist",
  basis: "state",
  help: "Every box of the task list in the description is ticked, and there is at least one; a text names the heading under which it stands.",
  examples: ["checklist", "checklist: Before review"],
  schema: z.union(
    [
      bare.transform(() => ({ kind: "checklist" as const, section: null })),
      shortText("a heading").transform((value) => ({ kind: "checklist" as const, section: value })),
    ],
    { error: "expected true, or the heading under which the task list stands" },
  ),
  title: (leaf) => (leaf.section === null ? "checklist" : `checklist "${leaf.section}"`),
  concerns: concernsNone,
  evaluate(leaf, { facts }) {
    const boxes = boxesOf(facts.body, leaf.section);
    const where = leaf.section === null ? "in the description" : `under "${leaf.section}" in the description`;
    if (boxes.length === 0) {
      return fails(`there is no task list ${where}`);
    }
    const open = boxes.filter((ticked) => !ticked).length;
    return open > 0
      ? fails(`${open} of ${boxes.length} boxes ${where} are not ticked`)
      : holds(`all ${boxes.length} boxes ${where} are ticked`);
  },
};

/** Whether each box is ticked. What stands in a code block or a comment is no task list. */
export function boxesOf(body: string, section: string | null): boolean[] {
  const boxes: boolean[] = [];
  /** Level of the heading that we are under; 0: not under it. */
  let level = section === null ? 1 : 0;
  for (const line of proseLines(body)) {
    const heading = headingOf(line);
    if (heading !== null && section !== null) {
      if (heading.text.toLowerCase() === section.toLowerCase()) {
        level = heading.depth;
      } else if (heading.depth <= level) {
        level = 0;
      }
      continue;
    }
    const box = /^\s*(?:[-*+]|\d{1,9}[.)])\s+\[([ xX])\]\s/.exec(`${line} `);
    if (box !== null && level > 0) {
      boxes.push(box[1] !== " ");
    }
  }
  return boxes;
}

function headingOf(line: string): { depth: number; text: string } | null {
  const depth = /^ {0,3}(#{1,6})(?=[ \t])/.exec(line)?.[1]?.length;
  return depth === undefined ? null : { depth, text: line.trim().slice(depth).trim() };
}
