/** What must be so once everything has been heard of or swept, and nothing happens any more. */
import type { History, Pull, Store } from "../../app/store/model.ts";
import { stageLabel } from "../../src/lifecycle/presentation/display.ts";
import { checkRunsOn, labelsOn, type PullRequest } from "../../src/sandbox/world/index.ts";
import { wrongGates } from "./gates.ts";
import type { Scene } from "./github.ts";
import type { Rules } from "./rules.ts";
import type { Shadow } from "./shadow.ts";

/**
 * Told of each check run that the app makes although there is one of that name on the commit that it could have
 * updated. A completed one cannot be opened again: then a new one takes its place.
 */
export function watchChecks({ sandbox, app, repository }: Scene, told: (violation: string) => void): void {
  sandbox.world.changes.record((change) => {
    if (change.kind !== "check_run" || change.action !== "created") {
      return;
    }
    const { run } = change;
    if (run.appId !== app.id || run.repositoryId !== repository.id) {
      return;
    }
    const before = checkRunsOn(sandbox.world, repository, run.headSha).filter(
      (each) => each.appId === app.id && each.name === run.name && each.id !== run.id,
    );
    if (before.some((each) => each.status !== "completed") || (before.length > 0 && run.status === "completed")) {
      told(`the check run ${run.name} was made again on ${run.headSha.slice(0, 7)}`);
    }
  });
}

/** One sentence for each way in which this pull request is not as it must be. `shadow`: null where it cannot know. */
export async function violationsOf(
  github: Scene,
  store: Store,
  shadow: Shadow | null,
  pull: PullRequest,
  rules: Pick<Rules, "policy" | "steady">,
): Promise<string[]> {
  const row = await store.pull({ repositoryId: github.repository.id, number: pull.number });
  if (row === null) {
    return [`#${pull.number} is not known`];
  }
  const history = (await store.history(row, 1_000)).items;
  return [
    ...shownWrongly(github, pull, row, history),
    ...(shadow === null ? [] : await notTheSame(github, shadow, pull, row)),
    ...(await gates(github, shadow, pull, row, rules)),
    ...brokenHistory(row, history, rules.steady),
    ...repeated(pull),
    ...(row.intentAt === null ? [] : ["a move is still on its way"]),
  ].map((each) => `#${pull.number} ${each}`);
}

/** What is on GitHub against the evaluation of what the app knows. */
function shownWrongly(github: Scene, pull: PullRequest, row: Pull, history: readonly History[]): string[] {
  if (pull.state !== "open") {
    return [];
  }
  const stage = row.evaluation?.stage ?? null;
  const wanted = stage === null ? [] : [stageLabel(stage)];
  const on = stageLabels(github, pull);
  // Somebody keeps changing them: the app has stopped to put them right for a while, and says so.
  if (history.some((line) => line.kind === "tampering" && line.reason.includes("too often"))) {
    return [];
  }
  return same(on, wanted) ? [] : [`has the labels ${say(on)}, its own evaluation says ${say(wanted)}`];
}

/** What is on GitHub against what everybody would know whom everything reached. */
async function notTheSame(github: Scene, shadow: Shadow, pull: PullRequest, row: Pull): Promise<string[]> {
  const evaluated = await shadow.judge(row);
  if (evaluated === null) {
    return ["the shadow knows nothing of it"];
  }
  if (pull.state !== "open" || evaluated.desired === null) {
    return row.evaluation?.stage === evaluated.evaluation.stage
      ? []
      : [`is in ${row.evaluation?.stage}, expected ${evaluated.evaluation.stage}`];
  }
  const found: string[] = [];
  const wanted = evaluated.desired.label === null ? [] : [evaluated.desired.label];
  const on = stageLabels(github, pull);
  if (!evaluated.desired.left && !same(on, wanted)) {
    found.push(`has the labels ${say(on)}, everything known says ${say(wanted)}`);
  }
  const shown = newestChecks(github, pull);
  for (const check of evaluated.desired.checks) {
    const text = `${check.conclusion ?? check.status}: ${check.title}`;
    const is = shown.get(check.name);
    if (is !== text) {
      found.push(`shows the check run ${check.name} as “${is ?? "nothing"}”, everything known says “${text}”`);
    }
  }
  return found;
}

async function gates(
  github: Scene,
  shadow: Shadow | null,
  pull: PullRequest,
  row: Pull,
  { policy }: Pick<Rules, "policy">,
): Promise<string[]> {
  const evaluation = (await shadow?.judge(row))?.evaluation ?? row.evaluation;
  if (pull.state !== "open" || evaluation === null) {
    return [];
  }
  const checks = new Map(ourChecks(github, pull).map((run) => [run.name, run]));
  return wrongGates(policy, evaluation, [...checks.values()]);
}

/** `order`: the stages that it has at all times. */
function brokenHistory(row: Pull, history: readonly History[], order: readonly string[]): string[] {
  const found: string[] = [];
  const counts = (stage: string | null): boolean => stage === null || order.includes(stage);
  let at: string | null = null;
  for (const line of history.filter((each) => each.kind === "moved")) {
    if (line.from !== at) {
      found.push(`its history goes on from ${line.from} where it was in ${at}`);
    }
    const step = order.indexOf(line.to ?? "") - order.indexOf(line.from ?? "");
    if (line.to !== null && step > 1 && counts(line.from) && counts(line.to)) {
      found.push(`its history skips from ${line.from} to ${line.to}`);
    }
    if (line.reason === "") {
      found.push(`its history gives no reason for ${line.from} → ${line.to}`);
    }
    if (line.to !== null && step > 0 && counts(line.from) && line.evidence.length === 0) {
      found.push(`its history gives no evidence for ${line.from} → ${line.to}`);
    }
    at = line.to;
  }
  if (row.confirmed !== null && at !== row.confirmed.stage) {
    found.push(`its history ends in ${at}, it is shown in ${row.confirmed.stage}`);
  }
  return found;
}

/** Comments with the same marker, which was to be looked for. */
function repeated(pull: PullRequest): string[] {
  const markers = pull.comments.flatMap((comment) => /<!-- stagewright: .*? -->/u.exec(comment.body ?? "") ?? []);
  const twice = markers.filter((marker, index) => markers.indexOf(marker) !== index);
  return twice.map((marker) => `has two comments ${marker}`);
}

function stageLabels(github: Scene, pull: PullRequest): string[] {
  return labelsOn(github.sandbox.world, pull)
    .map((label) => label.name)
    .filter((name) => name.startsWith("stage/"));
}

function newestChecks(github: Scene, pull: PullRequest): Map<string, string> {
  return new Map(
    ourChecks(github, pull).map((run) => [run.name, `${run.conclusion ?? run.status}: ${run.output.title ?? ""}`]),
  );
}

/** The newest of each name last. */
function ourChecks({ sandbox, repository, app }: Scene, pull: PullRequest) {
  return checkRunsOn(sandbox.world, repository, pull.head.sha).filter((run) => run.appId === app.id);
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each));
}

function say(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
