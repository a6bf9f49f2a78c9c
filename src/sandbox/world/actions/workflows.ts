/** The workflow files of a repository, and starting them by hand. */
import { parse } from "yaml";
import { resolveRef } from "../code/commits.ts";
import type { Repository, Workflow } from "../model/index.ts";
import { commit, register, type World } from "../world.ts";

export const workflowFolder = ".github/workflows/";

function isWorkflowPath(path: string): boolean {
  return path.startsWith(workflowFolder) && /^[^/]+\.ya?ml$/.test(path.slice(workflowFolder.length));
}

/** Paths of the workflow files at a commit. */
export function workflowPaths(world: World, sha: string): string[] {
  return [...commit(world, sha).files.keys()].filter(isWorkflowPath).sort();
}

/** A file read as YAML; null when it is none or no mapping. */
export function readYaml(text: string): Map<string, unknown> | null {
  try {
    const value: unknown = parse(text, { maxAliasCount: 100 });
    return typeof value === "object" && value !== null ? new Map(Object.entries(value)) : null;
  } catch {
    return null;
  }
}

/** The repository's workflow for a path, with the id that it keeps. The name is that of the file at `sha`. */
export function workflowFor(world: World, repo: Repository, path: string, sha: string): Workflow {
  const name = readYaml(commit(world, sha).files.get(path)?.bytes.toString("utf8") ?? "")?.get("name");
  const shown = typeof name === "string" && name !== "" ? name : path;
  for (const known of world.workflows.values()) {
    if (known.repositoryId !== repo.id || known.path !== path) continue;
    known.name = shown;
    return known;
  }
  const id = world.ids.next("Workflow");
  const made: Workflow = {
    id,
    nodeId: world.ids.node("Workflow", id),
    repositoryId: repo.id,
    path,
    name: shown,
    createdAt: world.now(),
  };
  world.workflows.set(id, made);
  register(world, { type: "Workflow", value: made });
  return made;
}

/** Those on the default branch. */
export function workflowsOf(world: World, repo: Repository): Workflow[] {
  const sha = resolveRef(world, repo, repo.defaultBranch);
  return sha === null ? [] : workflowPaths(world, sha).map((path) => workflowFor(world, repo, path, sha));
}

/** By id or by file name, as REST takes it. */
export function findWorkflow(world: World, repo: Repository, idOrFile: string): Workflow | null {
  const all = workflowsOf(world, repo);
  return (
    all.find((workflow) => String(workflow.id) === idOrFile || workflow.path === `${workflowFolder}${idOrFile}`) ?? null
  );
}
