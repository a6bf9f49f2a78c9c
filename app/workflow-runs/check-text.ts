/** What a start's check run on the pull request says. Pure; equal input gives equal text. */
import { createHash } from "node:crypto";
import { canonicalJson } from "../../src/plan/canonical.ts";
import { clip, codeSpan, markdown, oneLine } from "../../src/report/escape.ts";
import type { StartedRun } from "../store/model.ts";
import type { Turn } from "./queue.ts";

/** Of stages' check runs the name begins with `stagewright / `. */
export function checkName(workflow: string): string {
  return `stagewright: ${workflow}`;
}

export interface StartShown {
  readonly name: string;
  readonly status: "queued" | "in_progress" | "completed";
  /** Only when completed. */
  readonly conclusion: "success" | "failure" | "cancelled" | null;
  readonly title: string;
  /** Markdown, escaped and bounded. */
  readonly summary: string;
  readonly detailsUrl: string | null;
}

const LONGEST_TITLE = 200;
const MOST_NAMED = 5;

/** `turn`: only of one that is queued. */
export function shownOfStart(start: StartedRun, turn: Turn | null): StartShown {
  const { workflow, runId, runUrl, sha } = start;
  const run = runId === null ? "" : runUrl === null ? ` (run ${runId})` : ` ([run ${runId}](${runUrl}))`;
  const lines = [
    `${codeSpan(workflow)} of the default branch${run}, started for the commit ${sha.slice(0, 7)}.`,
    ...(start.note === "" ? [] : ["", markdown(start.note)]),
  ];
  return {
    name: checkName(workflow),
    ...stateOf(start, turn),
    summary: lines.join("\n"),
    detailsUrl: runUrl,
  };
}

export function shownDigest(shown: StartShown): string {
  return createHash("sha256").update(canonicalJson(shown)).digest("base64url");
}

function stateOf(start: StartedRun, turn: Turn | null): Pick<StartShown, "status" | "conclusion" | "title"> {
  switch (start.state) {
    case "queued":
      return { status: "queued", conclusion: null, title: title(waits(start, turn)) };
    case "sent":
      return { status: "queued", conclusion: null, title: "Asked for; GitHub has not said yet which run it is" };
    case "running":
      return start.cancel === null
        ? goesOn(start)
        : { status: "in_progress", conclusion: null, title: title(`Being cancelled: ${start.cancel}`) };
    case "done":
      return { status: "completed", conclusion: conclusionOf(start.conclusion), title: title(ended(start)) };
  }
}

function goesOn({ runStatus, runAt }: StartedRun): Pick<StartShown, "status" | "conclusion" | "title"> {
  switch (runStatus) {
    case "in_progress":
      return {
        status: "in_progress",
        conclusion: null,
        title: runAt === null ? "Running" : `Running since ${clock(runAt)}`,
      };
    case "waiting":
      return { status: "queued", conclusion: null, title: "Waits for an environment" };
    default:
      return { status: "queued", conclusion: null, title: "Waits for a runner" };
  }
}

function waits({ workflow, parked, note }: StartedRun, turn: Turn | null): string {
  if (parked !== "") {
    return `Waits: ${parked}`;
  }
  if (turn === null || turn.go) {
    return note === "" ? "About to be started" : note;
  }
  const { place, limit, running } = turn;
  const named = [...new Set(running)].slice(0, MOST_NAMED).map((number) => `#${number}`);
  const more = running.length > named.length ? " and others" : "";
  const who =
    named.length === 0
      ? ""
      : `; ${named.join(", ")}${more} ${named.length === 1 && more === "" ? "is" : "are"} running`;
  return limit === null
    ? `Waits until GitHub has said which run the one before became${who}`
    : `${ordinal(place)} in the queue for ${workflow}: ${limit} may run at a time${who}`;
}

function ended({ conclusion, cancel, note, runId }: StartedRun): string {
  if (runId === null) {
    return note === "" ? "Not started" : `Not started: ${note}`;
  }
  switch (conclusion) {
    case "success":
      return "Succeeded";
    case "cancelled":
      return `Cancelled${cancel === null ? "" : `: ${cancel}`}`;
    default:
      return note === "" ? "Failed" : `Failed: ${note}`;
  }
}

function conclusionOf(conclusion: string | null): StartShown["conclusion"] {
  return conclusion === "success" || conclusion === "cancelled" ? conclusion : "failure";
}

function title(text: string): string {
  return clip(oneLine(text), LONGEST_TITLE);
}

/** A moment as `10:31 UTC`. */
function clock(at: number): string {
  return `${new Date(at).toISOString().slice(11, 16)} UTC`;
}

function ordinal(number: number): string {
  const tens = number % 100;
  const suffix = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th");
  return `${number}${suffix}`;
}
