/** One line for each thing that happens in the sandbox: when, who, what, why. */
import { type Change, fullName, type Repository, type World } from "../../src/sandbox/world/index.ts";

export interface Narrator {
  /** What the next doing of this person is for; said several times, it is for the next ones in order. */
  because(login: string, why: string): void;
  /** A line that is not about the sandbox's world. */
  say(who: string, what: string, why?: string): void;
  stop(): void;
}

interface Narration {
  readonly who: string;
  readonly what: string;
  readonly why: string;
}

const WHO_WIDTH = 20;

/** Tells of every change, on `write`, a line at a time. */
export function createNarrator(world: World, write: (line: string) => void): Narrator {
  const reasons = new Map<string, string[]>();
  const line = (at: number, { who, what, why }: Narration): void => {
    const time = new Date(at).toISOString().slice(11, 23);
    write(`${time}  ${who.padEnd(WHO_WIDTH)} ${what}${why === "" ? "" : `  — ${why}`}`);
  };
  // Told when the whole mutation is through, so that reasons that stand beside it are there too.
  const stop = world.changes.subscribe((change) => {
    const narration = tell(world, change);
    if (narration === null) return;
    const why = reasons.get(change.actor.account.login)?.shift();
    line(change.at, { ...narration, why: why ?? narration.why });
  });
  return {
    because: (login, why) => void reasons.set(login, [...(reasons.get(login) ?? []), why]),
    say: (who, what, why = "") => line(world.now(), { who, what, why }),
    stop,
  };
}

/** Null: not worth a line of its own. */
function tell(world: World, change: Change): Narration | null {
  const who = change.actor.account.login;
  switch (change.kind) {
    case "installation":
      return { who, what: `installation of the app: ${change.action}`, why: "" };
    case "repository":
      return { who, what: `repository ${fullName(world, change.repository)} ${change.action}`, why: "" };
    case "push": {
      const message = world.commits.get(change.after)?.message.split("\n", 1)[0] ?? "";
      return {
        who,
        what: `pushed ${change.after.slice(0, 7)} to ${change.ref.replace("refs/heads/", "")}`,
        why: message,
      };
    }
    case "pull_request":
      return pullRequest(who, change);
    case "pull_request_review": {
      const verdict = change.review.state.toLowerCase().replaceAll("_", " ");
      return { who, what: `reviewed #${change.pull.number}: ${verdict}`, why: change.review.body };
    }
    case "issue_comment":
      return { who, what: `commented on #${change.pull.number}`, why: firstLine(change.comment.body) };
    case "check_run":
      return checkRun(world, change);
    case "workflow_run": {
      const { run, action } = change;
      const what = action === "completed" ? `completed: ${run.conclusion}` : action.replaceAll("_", " ");
      const attempt = run.attempt > 1 ? `, attempt ${run.attempt}` : "";
      const why = action === "requested" ? `${run.event}${attempt}, ${run.path}` : "";
      return { who: "github-actions[bot]", what: `workflow "${run.name}" ${what}`, why };
    }
    case "workflow_job": {
      const { job, action } = change;
      const runner = job.runner === null ? "" : ` on ${job.runner.name}`;
      const labels = `wants a runner with ${job.labels.join(", ")}`;
      const step = job.steps.find((one) => one.conclusion === "failure")?.name;
      const why = action === "queued" ? labels : step === undefined ? "" : `step "${step}" failed`;
      const what = action === "completed" ? `${job.conclusion}` : action.replaceAll("_", " ");
      return { who: job.runner?.name ?? "github-actions[bot]", what: `job "${job.name}" ${what}${runner}`, why };
    }
    case "deployment_protection_rule":
      return {
        who: "github",
        what: `holds a job for environment ${change.request.environment}`,
        why: "an app guards it",
      };
    case "gate_decided":
      return { who, what: `gate of job "${change.job.name}": ${change.verdict}`, why: "" };
    case "rerun_wanted":
      return {
        who,
        what: `re-runs ${change.only === "failed" ? "the failed jobs of " : ""}"${change.run.name}"`,
        why: "",
      };
    case "cancel_wanted":
      return { who, what: `cancels "${change.run.name}"`, why: "" };
    default:
      return null;
  }
}

function pullRequest(who: string, change: Extract<Change, { kind: "pull_request" }>): Narration {
  const number = `#${change.pull.number}`;
  switch (change.action) {
    case "opened":
      return { who, what: `opened ${number} "${change.pull.title}"`, why: "" };
    case "labeled":
      return { who, what: `put label ${change.label.name} on ${number}`, why: "" };
    case "unlabeled":
      return { who, what: `took label ${change.label.name} off ${number}`, why: "" };
    case "synchronize":
      return { who, what: `moved the head of ${number} to ${change.after.slice(0, 7)}`, why: "" };
    default:
      return { who, what: `${number}: ${change.action.replaceAll("_", " ")}`, why: "" };
  }
}

function checkRun(world: World, change: Extract<Change, { kind: "check_run" }>): Narration | null {
  // A job's own check run says what the job's line has said.
  if (change.run.jobId !== null) return null;
  // One that is made completed is told twice by GitHub: the second time says all.
  if (change.action === "created" && change.run.status === "completed") return null;
  const who = world.apps.get(change.run.appId)?.slug ?? "app";
  const state = change.run.conclusion ?? change.run.status.replaceAll("_", " ");
  return { who, what: `check "${change.run.name}": ${state}`, why: firstLine(change.run.output.title ?? "") };
}

const firstLine = (text: string): string => text.split("\n").find((line) => !/^(<!--.*-->)?\s*$/.test(line)) ?? "";

/** Where to look, and how to go on by hand. */
export function invitation(options: {
  readonly url: string;
  readonly appUrl: string;
  readonly repository: string;
  readonly number: number;
  readonly runId: number;
}): readonly string[] {
  const { url, appUrl, repository, number, runId } = options;
  const act = (values: Readonly<Record<string, string | number>>): string => {
    const fields = Object.entries({ ...values, repository }).map(([name, value]) => `${name}=${value}`);
    return `  curl -s ${url}/_sandbox/act -d '${fields.join("&")}'`;
  };
  return [
    "",
    `Pull request     ${url}/${repository}/pull/${number}`,
    `Workflow run     ${url}/${repository}/actions/runs/${runId}`,
    `Webhooks sent    ${url}/_deliveries`,
    `What the app     ${appUrl}/api/pulls/${repository}/${number}`,
    "  knows of it",
    "",
    "Play on with the forms on the pull request's page, or from a shell:",
    act({ do: "push", as: "rex", branch: "task-7", path: "src/more.txt", content: "more" }),
    act({ do: "label", as: "cleo", number, label: "ready-for-qa" }),
    act({ do: "review", as: "tess", number, state: "APPROVED" }),
    act({ do: "rerun", as: "rex", run: runId }),
    "",
    "Ctrl-C ends it.",
  ];
}

/** For the header: which repository this is about. */
export const title = (world: World, repository: Repository): string =>
  `Stagewright in a sandbox: ${fullName(world, repository)}`;
