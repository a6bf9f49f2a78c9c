/** Which workflows and actions of its own repository a workflow or an action calls. */
import { Problems } from "../../plan/parsing/problems.ts";
import { readSource } from "../../plan/parsing/source.ts";

/** A path of a repository is no longer. */
const LONGEST_PATH = 400;

/**
 * Paths from the repository's root (empty: the root itself) of everything that a `uses` anywhere in the file names with
 * `./`. Null: it cannot be told, so it may call anything.
 */
export function localUses(content: string): readonly string[] | null {
  const problems = new Problems("");
  const source = readSource(content, problems, "a workflow or an action");
  if (source === null || problems.hasErrors) {
    return null;
  }
  const paths = new Set<string>();
  const open: unknown[] = [source.value];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== "object" || value === null) {
      continue;
    }
    for (const [key, member] of Object.entries(value)) {
      if (key === "uses" && typeof member === "string" && /^\.[/\\]/u.test(member)) {
        const path = pathOf(member);
        if (path === null) {
          return null;
        }
        paths.add(path);
      } else if (member !== undefined) {
        open.push(member);
      }
    }
  }
  return [...paths];
}

/** Runners take `.\` for `./`, too. Null: it leads out of the repository, or is no path. */
function pathOf(uses: string): string | null {
  const parts = uses.split(/[/\\]/u).filter((part) => part !== "" && part !== ".");
  return uses.length > LONGEST_PATH || parts.includes("..") || uses.includes(":") ? null : parts.join("/");
}
