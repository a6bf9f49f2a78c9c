/** `actions/checkout` in the sandbox: the files of a commit, written out. There is no `.git`: nothing here needs one. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CheckoutRequest } from "../runner/types.ts";
import { resolveRef } from "../world/code/commits.ts";
import type { Repository, WorkflowRun } from "../world/model/index.ts";
import { commit, fullName, repositoryByName, type World } from "../world/world.ts";

/** A checkout for the jobs of a run: its own repository, or another public one. Throws with the reason. */
export function checkoutInto(
  world: World,
  own: Repository,
  run: WorkflowRun,
): (request: CheckoutRequest) => Promise<string> {
  return async ({ repository, ref, directory }) => {
    const [owner = "", name = ""] = repository.split("/");
    const repo = repositoryByName(world, owner, name);
    if (repo === null || (repo.private && repo.id !== own.id)) throw new Error(`Repository not found: ${repository}`);
    const fallback = repo.id === own.id ? run.sha : repo.defaultBranch;
    const sha = resolveRef(world, repo, ref ?? fallback);
    if (sha === null)
      throw new Error(
        `A branch or tag with the name '${ref ?? fallback}' could not be found in ${fullName(world, repo)}`,
      );
    for (const [path, file] of commit(world, sha).files) {
      const target = join(directory, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, file.bytes, { mode: file.executable ? 0o755 : 0o644 });
    }
    return sha;
  };
}
