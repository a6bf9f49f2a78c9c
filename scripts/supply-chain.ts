/** What others could exchange under our feet: packages by the lock file, actions by the workflows. */
import { LineCounter, parseDocument, visit } from "yaml";
import { z } from "zod";

const lock = z.object({
  packages: z.record(
    z.string(),
    z.object({ link: z.boolean().optional(), resolved: z.string().optional(), integrity: z.string().optional() }),
  ),
});

/**
 * One line for each package of this lock file that any registry could exchange (no `integrity`; npm leaves it out of
 * optional packages of other platforms), or that binds everyone to the registry of whoever wrote it (`resolved`).
 */
export function lockProblems(text: string): readonly string[] {
  return Object.entries(lock.parse(JSON.parse(text)).packages).flatMap(([path, { link, resolved, integrity }]) => {
    // The project itself is no package of a registry.
    if (path === "" || link === true) return [];
    return [
      ...(resolved === undefined ? [] : [`${path}: leave out "resolved"`]),
      ...(integrity?.startsWith("sha512-") === true
        ? []
        : [`${path}: no "integrity"; npm view <package>@<version> dist.integrity tells it`]),
    ];
  });
}

/** Ours: what a release's workflows use of the project is what was released with them. */
const OWN = /^(?:\.\/|stagewright\/stagewright(?:\/[\w./-]+)?@)/u;
const PINNED = /^(?:[\w.-]+\/[\w./-]+@[0-9a-f]{40}|docker:\/\/[^\s@]+@sha256:[0-9a-f]{64})$/u;
const TAGGED = /^\s*v?\d+(?:\.\d+)*/u;

/** One line for each action or workflow of others that this workflow takes by a name that can be moved. */
export function unpinnedActions(text: string, file: string): readonly string[] {
  const lines = new LineCounter();
  const problems: string[] = [];
  visit(parseDocument(text, { lineCounter: lines }), {
    Pair(_, { key, value }) {
      const used = nodeText(value);
      if (nodeText(key)?.value !== "uses" || used === null || OWN.test(used.value)) return;
      const at = `${file}:${lines.linePos(used.offset).line}`;
      if (!PINNED.test(used.value)) {
        problems.push(`${at}: ${used.value} can be moved; pin it: <owner>/<name>@<commit> # <tag>`);
      } else if (!TAGGED.test(used.comment)) {
        problems.push(`${at}: ${used.value} says no version; add its tag: # v1.2.3`);
      }
    },
  });
  return problems;
}

const scalar = z.object({
  value: z.string(),
  comment: z.string().nullish(),
  range: z.tuple([z.number(), z.number(), z.number()]),
});

function nodeText(node: unknown) {
  const found = scalar.safeParse(node);
  return found.success
    ? { value: found.data.value, comment: found.data.comment ?? "", offset: found.data.range[0] }
    : null;
}
