/** `/stage continue` and `/stage stop`: what stands behind the word. */

export interface RunCommandArgument {
  /** The run that it names; null: it names none. */
  readonly run: string | null;
  /** Null: none is given. */
  readonly reason: string | null;
}

const OPTION = "--run";

/** `problem`: why it cannot be read. */
export function readRunArgument(argument: string): RunCommandArgument | { readonly problem: string } {
  // Phones make one long dash of two.
  const [option = "", ...rest] = argument.replace(/^—/u, "--").split(" ");
  if (!option.startsWith("--")) return { run: null, reason: argument === "" ? null : argument };
  const [name, ...given] = option.split("=");
  if (name?.toLowerCase() !== OPTION) return { problem: `there is no option ${option}; the only one is ${OPTION}` };
  const words = given.length > 0 ? [given.join("="), ...rest] : rest;
  const [run = "", ...reason] = words;
  if (run === "") return { problem: `${OPTION} needs the name of a run` };
  return { run, reason: reason.length === 0 ? null : reason.join(" ") };
}

/** What a run can be named by, of several that wait on one pull request. */
export interface RunName {
  readonly id: string;
  readonly plan: string;
  readonly group: string;
}

/** Those that a name stands for: by plan, by group, by both, or by id. */
export function runsNamed<T extends RunName>(runs: readonly T[], name: string): readonly T[] {
  return runs.filter((run) => namesOf(run).includes(name));
}

/** The shortest name without spaces that stands for this one alone. */
export function shortestName(run: RunName, runs: readonly RunName[]): string {
  const alone = (name: string): boolean => !/\s/u.test(name) && runsNamed(runs, name).length === 1;
  return namesOf(run).find(alone) ?? run.id;
}

function namesOf({ id, plan, group }: RunName): readonly string[] {
  return [plan, group, `${plan}/${group}`, id];
}
