/** A stage's tasks in the editor of whoever sits at the terminal. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { Problems } from "../../plan/parsing/problems.ts";
import { LARGEST_FILE_BYTES, readSource } from "../../plan/parsing/source.ts";
import type { Json, Tasks } from "../../plan/plan.ts";
import { formatProblem } from "../../plan/read.ts";
import { checkedTasks } from "../../plan/stages/tasks.ts";
import { UsageError } from "../exit.ts";
import { readBounded } from "../files.ts";

/** What was written, or what is wrong with it. */
export type Edited = { readonly tasks: readonly Json[] } | { readonly problems: readonly string[] };

/** Opens `$VISUAL` or `$EDITOR` on tasks. `needs`: what the plan says of them. Never throws. */
export async function editTasks(
  tasks: readonly Json[],
  needs: Tasks["needs"],
  env: NodeJS.ProcessEnv,
): Promise<Edited> {
  const editor = [env.VISUAL, env.EDITOR].find((one) => one !== undefined && one !== "") ?? "vi";
  let folder: string | null = null;
  try {
    folder = mkdtempSync(join(env.RUNNER_TEMP ?? tmpdir(), "stagewright-tasks-"));
    const file = join(folder, "tasks.yml");
    writeFileSync(file, stringify({ tasks }), { mode: 0o600 });
    // Editors are often said with their options.
    const child = spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit", env });
    const [code, signal] = await once(child, "close");
    if (code !== 0) return { problems: [`${editor}: ${signal === null ? `exit code ${code}` : `ended by ${signal}`}`] };
    return readTasks(file, needs);
  } catch (error) {
    if (error instanceof UsageError) return { problems: error.lines };
    return { problems: [`${editor}: ${error instanceof Error ? error.message : String(error)}`] };
  } finally {
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  }
}

function readTasks(file: string, needs: Tasks["needs"]): Edited {
  const problems = new Problems("tasks");
  const source = readSource(readBounded(file, LARGEST_FILE_BYTES), problems, "tasks: […]");
  if (source === null || problems.hasErrors) return { problems: problems.list().map(formatProblem) };
  const { value } = source;
  const tasks = typeof value === "object" && value !== null && "tasks" in value ? value.tasks : null;
  if (!Array.isArray(tasks)) return { problems: ["expected tasks: […]"] };
  const checked = checkedTasks(tasks, needs);
  return "problem" in checked ? { problems: [checked.problem] } : { tasks };
}
