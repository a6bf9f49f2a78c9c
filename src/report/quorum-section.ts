/** How quorums decided, for the job summary and the check run. */
import { clip, markdown } from "./escape.ts";
import { count, number } from "./format.ts";
import type { RunReport } from "./report.ts";

/** Votes and deficiencies of one round that are each told. */
const NAMED = 10;

/** How the validators of each quorum voted, round by round, and what they found wanting. */
export function quorumSection(report: RunReport, detail: { readonly remarks: number }): string {
  if (detail.remarks === 0) return "";
  const rounds = report.summary.phases.flatMap((phase) =>
    [...(phase.earlier ?? []), phase].flatMap(({ quorum }, round) =>
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
