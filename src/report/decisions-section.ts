/** How people and quorums decided, and how tasks fared, for the job summary and the check run. */
import { clip, markdown } from "./escape.ts";
import { between, clock, count, duration, number } from "./format.ts";
import { phaseRounds, type RunReport } from "./report.ts";

/** Votes and deficiencies of one round that are each told. */
const NAMED = 10;

/** How the validators of each quorum voted, round by round, and what they found wanting. */
export function quorumSection(report: RunReport, detail: { readonly remarks: number }): string {
  if (detail.remarks === 0) return "";
  const rounds = report.summary.phases.flatMap((phase) =>
    phaseRounds(phase).flatMap(({ quorum }, round) =>
      quorum === undefined ? [] : [{ name: markdown(clip(phase.name, 200)), round: round + 1, quorum }],
    ),
  );
  if (rounds.length === 0) return "";
  const rows = rounds.slice(-detail.remarks).map(({ name, round, quorum }) => {
    const { decision, confidence, weights, votes, deficiencies, leftOut } = quorum;
    const cast = votes.slice(0, NAMED).map((vote) => `${markdown(clip(vote.validator, 60))}: ${vote.decision}`);
    const wanting = deficiencies.slice(0, NAMED).map(({ validator, deficiency }) => {
      const text = typeof deficiency === "string" ? deficiency : JSON.stringify(deficiency);
      return `${markdown(clip(validator, 60))}: ${markdown(clip(text, 200))}`;
    });
    const share = `${number(weights.pass)} / ${number(weights.retry)} / ${number(weights.fail)}`;
    const cells = [name, round, decision, confidence === null ? "" : number(confidence), share];
    const told = [lines(cast, votes.length), lines(wanting, deficiencies.length + leftOut)];
    return `| ${[...cells, ...told].join(" | ")} |`;
  });
  const head = "| quorum | round | decision | confidence | pass / retry / fail | votes | found wanting |";
  const table = [head, "| --- | --- | --- | --- | --- | --- | --- |", ...rows].join("\n");
  const hidden = rounds.length - rows.length;
  return `### Quorums\n\n${table}${hidden > 0 ? `\n\n_${count(hidden, "earlier round")} not shown._` : ""}`;
}

/** Within one cell of a table. */
function lines(shown: readonly string[], all: number): string {
  return [...shown, ...(all > shown.length ? [`and ${all - shown.length} more`] : [])].join("<br>");
}

/** Who let each stage with a checkpoint begin, round by round, when and why. */
export function approvalsSection(report: RunReport, detail: { readonly remarks: number }): string {
  if (detail.remarks === 0) return "";
  const all = report.summary.phases.flatMap((phase) =>
    phaseRounds(phase).flatMap(({ approval }, round) =>
      approval === undefined ? [] : [{ name: markdown(clip(phase.name, 200)), round: round + 1, approval }],
    ),
  );
  if (all.length === 0) return "";
  const rows = all.slice(-detail.remarks).map(({ name, round, approval: { by, why, at } }) => {
    const who = by === null ? "_nobody_" : markdown(clip(by, 100));
    return `| ${[name, round, who, clock(at), why === null ? "" : markdown(clip(why, 300))].join(" | ")} |`;
  });
  const hidden = all.length - rows.length;
  const table = ["| before | round | approved by | at | why |", "| --- | --- | --- | --- | --- |", ...rows].join("\n");
  return `### Approvals\n\n${table}${hidden > 0 ? `\n\n_${count(hidden, "earlier approval")} not shown._` : ""}`;
}

/** Tasks, those first that were not done, and how many there are of each stage. */
export function tasksSection(report: RunReport, detail: { readonly remarks: number }): string {
  let left = Math.min(TASKS, detail.remarks);
  const parts = report.summary.phases.flatMap(({ name, tasks }) => {
    if (tasks === null || tasks.total === 0 || detail.remarks === 0) return [];
    const told = (tasks.records ?? []).slice(0, left);
    left -= told.length;
    const rows = told.map(({ task, status, agent, attempts, startedAt, endedAt, reason }) => {
      const took = between(startedAt, endedAt);
      const cells = [markdown(clip(task, 100)), status, agent === null ? "–" : markdown(clip(agent, 60)), attempts];
      const why = reason === null ? "" : markdown(clip(reason, 200));
      return `| ${[...cells, took === null ? "–" : duration(took), why].join(" | ")} |`;
    });
    const head = ["| task | status | agent | attempts | took | why |", "| --- | --- | --- | --- | --- | --- |"];
    const hidden = tasks.total - told.length;
    return [
      `**${markdown(clip(name, 200))}**: ${tasks.done} of ${count(tasks.total, "task")} done${tasks.failed > 0 ? `, ${tasks.failed} failed` : ""}${tasks.skipped > 0 ? `, ${tasks.skipped} skipped` : ""}`,
      ...(rows.length === 0 ? [] : [[...head, ...rows].join("\n")]),
      ...(rows.length > 0 && hidden > 0 ? [`_${count(hidden, "task")} not shown._`] : []),
    ];
  });
  return parts.length === 0 ? "" : ["### Tasks", ...parts].join("\n\n");
}

/** Tasks of all stages together that are each told: the result has more of them. */
const TASKS = 50;
