/** How people and quorums decided, and how tasks fared: each round of each stage, of each result. */
import { html } from "../escape.ts";
import { count, number } from "../format.ts";
import type { PhaseResult } from "../record/result-schema.ts";
import { badge, leftOut, PAGE_BOUNDS, type ShownResult, shown, table, time } from "./parts.ts";

type Round = Pick<PhaseResult, "approval" | "quorum">;
type Quorum = NonNullable<PhaseResult["quorum"]>;

/** Who let each stage with a checkpoint begin. */
export function approvalsOf(results: readonly ShownResult[]): string {
  const rows = roundsOf(results).flatMap(({ of, stage, round, told: { approval } }) => {
    if (approval === undefined) return [];
    const { by, why, at } = approval;
    const who = by === null ? '<span class="warning">nobody</span>' : `<b>${shown(by, 100)}</b>`;
    const when = at === null ? "–" : `<span class="when">${html(at.slice(0, 19).replace("T", " "))}</span>`;
    return [[badge(of) + stage + (round === 1 ? "" : ` <small>round ${round}</small>`), who + below(why), when]];
  });
  return bounded(["before", "approved by", "at"], rows, "approval");
}

/** How the validators voted, round by round, and what they found wanting. */
export function quorumsOf(results: readonly ShownResult[]): string {
  const all = roundsOf(results).flatMap((each) =>
    each.told.quorum === undefined ? [] : [{ ...each, quorum: each.told.quorum }],
  );
  const told = all.slice(0, PAGE_BOUNDS.rounds);
  const cards = told.map(({ of, stage, round, quorum }) => {
    const { decision, confidence, exhausted } = quorum;
    const sure = confidence === null ? "" : ` <small>confidence ${number(confidence)}</small>`;
    const head = `<h3>${badge(of)}${stage} <small>round ${round}</small></h3><p class="decision"><b class="${CLASSES[decision]}">${decision}</b>${sure}</p>`;
    const end = exhausted === null ? "" : `<p class="note">${shown(exhausted)}</p>`;
    return `<article>${head}${shares(quorum)}${votes(quorum)}${wanting(quorum)}${end}</article>`;
  });
  return cards.length === 0
    ? ""
    : `<div class="cards">${cards.join("")}</div>${leftOut(all.length - told.length, "round")}`;
}

const CLASSES = { PASS: "success", RETRY: "warning", FAIL: "failure" } as const;

/** The weights as one bar: a part for each decision that somebody voted for. */
function shares({ weights: { pass, retry, fail } }: Quorum): string {
  const all = pass + retry + fail;
  if (!(all > 0)) return "";
  const parts = [
    { name: "PASS", weight: pass },
    { name: "RETRY", weight: retry },
    { name: "FAIL", weight: fail },
  ] as const;
  const bars = parts.flatMap(({ name, weight }) => {
    if (!(weight > 0)) return [];
    const said = `${name} ${number(weight)}`;
    const title = `${said} of ${number(all)}`;
    return [`<i class="${CLASSES[name]}" style="flex:${weight / all}" title="${title}"><span>${said}</span></i>`];
  });
  return `<div class="shares">${bars.join("")}</div>`;
}

function votes({ votes: cast }: Quorum): string {
  const told = cast
    .slice(0, PAGE_BOUNDS.votes)
    .map(({ validator, decision, weight, agent, reason }) => [
      shown(validator, 80) + below(reason),
      `<span class="${CLASSES[decision]}">${decision}</span>`,
      number(weight),
      agent === null ? "–" : shown(agent, 60),
    ]);
  return told.length === 0
    ? ""
    : table(["validator", "vote", "weight", "agent"], told, "decisions") + leftOut(cast.length - told.length, "vote");
}

function wanting({ deficiencies, deficiencies_left_out }: Quorum): string {
  const told = deficiencies.slice(0, PAGE_BOUNDS.votes).map(({ validator, deficiency }) => {
    const text = typeof deficiency === "string" ? deficiency : JSON.stringify(deficiency);
    return `<li>${shown(text)} <small>${shown(validator, 80)}</small></li>`;
  });
  const more = deficiencies.length - told.length + deficiencies_left_out;
  return told.length === 0 ? "" : `<ul>${told.join("")}</ul>${leftOut(more, "deficiency", "deficiencies")}`;
}

/** Of each stage with tasks those that were not done first. */
export function taskTables(results: readonly ShownResult[]): string {
  let left: number = PAGE_BOUNDS.tasks;
  const parts = results.flatMap((of) =>
    of.result.phase_results.flatMap((phase) => {
      const { tasks, task_records: records = [] } = phase;
      if (tasks === null || tasks.total === 0) return [];
      const told = records.slice(0, left);
      left -= told.length;
      const bad = tasks.total - tasks.done;
      const said = `${badge(of)}<b>${shown(phase.phase, 100)}</b>: ${tasks.done} of ${count(tasks.total, "task")} done`;
      const rows = told.map((each) => [
        shown(each.task, 100) + below(each.reason),
        `<span class="${TASK_CLASSES[each.status]}">${each.status}</span>`,
        each.agent === null ? "–" : shown(each.agent, 60),
        String(each.attempts),
        took(each),
      ]);
      if (rows.length === 0) return [`<p>${said}</p>`];
      const body =
        table(["task", "status", "agent", "attempts", "took"], rows, "decisions") +
        leftOut(tasks.total - told.length, "task");
      return [`<details${bad > 0 ? " open" : ""}><summary>${said}</summary>${body}</details>`];
    }),
  );
  return parts.join("");
}

const TASK_CLASSES = { done: "success", failed: "failure", skipped: "skipped", unfinished: "warning" } as const;

function took({ started_at, completed_at }: NonNullable<PhaseResult["task_records"]>[number]): string {
  return started_at === null || completed_at === null ? "–" : time(Date.parse(completed_at) - Date.parse(started_at));
}

/** A second line in a cell. */
function below(why: string | null): string {
  return why === null ? "" : `<br><small>${shown(why)}</small>`;
}

function roundsOf(results: readonly ShownResult[]) {
  return results.flatMap((of) =>
    of.result.phase_results.flatMap((phase) =>
      [...(phase.earlier_rounds ?? []), phase].map((told: Round, index) => ({
        of,
        stage: shown(phase.phase, 100),
        round: index + 1,
        told,
      })),
    ),
  );
}

function bounded(head: readonly string[], rows: readonly (readonly string[])[], singular: string): string {
  const told = rows.slice(0, PAGE_BOUNDS.rounds);
  return told.length === 0 ? "" : table(head, told, "decisions") + leftOut(rows.length - told.length, singular);
}
