/** Words that other tools use for what plans can say, too, and words of later versions: what to write instead. */
import type { Place } from "./key-parser.ts";
import type { Path } from "./source.ts";

type Hints = ReadonlyMap<string, string>;

const NOT_BUILT: readonly (readonly [string, string])[] = ["weight", "weights", "shares"].map((key) => [
  key,
  `${key}: weighted shares are not built yet`,
]);

/** Of a stage's keys: the whole message. */
export const STAGE_WORDS: Hints = new Map([
  ...NOT_BUILT,
  ...words("expected when: on_success | on_failure | always, or depends_on", ["if", "condition", "rules", "only"]),
  ...words("expected retry: { max_attempts: 3, backoff: 1s }", ["retries", "attempts", "max_attempts", "retry_count"]),
  ...words("expected optional: true (a failure is a warning)", [
    "continue-on-error",
    "continue_on_error",
    "allow_failure",
    "ignore_errors",
  ]),
  ...words('expected timeout, such as "10m"', ["timeout-minutes", "timeout_minutes", "timeout_in_minutes"]),
  ...words("expected run: a shell script", ["script", "cmd", "shell", "steps", "commands", "exec"]),
  ...words("expected run: actions have their place in a workflow's steps", ["uses", "with"]),
  ...words("expected depends_on (needs is between tasks)", ["dependencies", "requires", "after"]),
  ...words("expected tasks: a value for each", ["matrix", "strategy", "parallel", "foreach", "for_each", "with_items"]),
  ...words("expected runs_on: all | first | [names or indexes], or role", ["runs-on", "hosts", "agents", "nodes"]),
  ...words("expected run with the container tool of the runner", ["image", "container", "services"]),
  ...words("expected env", ["environment", "variables", "vars"]),
]);

/** Of a plan's own keys. */
export const PLAN_WORDS: Hints = new Map([
  ...NOT_BUILT,
  ...words('expected "stages"', ["jobs", "steps", "phases", "tasks", "pipeline"]),
  ...words("expected deadline", ["timeout", "timeout-minutes", "timeout_minutes", "max_duration"]),
  ...words("expected params: { name: { type, default } }", ["inputs", "parameters", "variables", "vars"]),
  ...words("expected env", ["environment"]),
]);

function words(meaning: string, keys: readonly string[]): [string, string][] {
  return keys.map((key) => [key, `unknown key "${key}", ${meaning}`]);
}

/** Where GitHub's expressions stand: only workflows have them, a shell takes `${{` for a mistake of its own. */
export function warnOfExpressions(value: unknown, { source, problems, path }: Place): void {
  const todo: { readonly value: unknown; readonly path: Path }[] = [{ value, path }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { value: found, path: at } = next;
    if (typeof found === "string") {
      if (!/\$\{\{/.test(found)) continue;
      const what = "GitHub evaluates ${{ … }} in workflows only, here it stays as it is";
      const remedy =
        "expected a variable that the job's env sets, or a parameter ({{params.name}}, STAGEWRIGHT_PARAM_<NAME>)";
      problems.warning(
        source.at(at),
        `${String(at.findLast((step) => typeof step === "string") ?? "")}: ${what}, ${remedy}`,
      );
    } else if (typeof found === "object" && found !== null) {
      const isList = Array.isArray(found);
      for (const [key, inner] of Object.entries(found))
        todo.push({ value: inner, path: [...at, isList ? Number(key) : key] });
    }
  }
}
