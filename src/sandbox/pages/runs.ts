/** Workflow runs, their jobs' logs and summaries, and what was sent to apps. */
import {
  account,
  app,
  fullName,
  jobsOf,
  type Repository,
  required,
  type WorkflowJob,
  type WorkflowRun,
  type World,
} from "../world/index.ts";
import { html } from "./html.ts";
import { act, layoutPage, markdown, state, table, when, who } from "./layout.ts";
import { checkDetails } from "./pull.ts";

const refreshSeconds = 3;
const deliveriesShown = 200;
const logShown = 200_000;

export function runPage(world: World, repo: Repository, run: WorkflowRun): string {
  const name = fullName(world, repo);
  const target = { repository: name, run: run.id };
  const attempts = Array.from({ length: run.attempt }, (_, index) => run.attempt - index).map(
    (attempt) =>
      html`<h2>Attempt ${attempt}</h2>${table(
        ["job", "state", "runner", "started", "completed"],
        jobsOf(world, run, attempt).map((job) => [
          html`<a href="/${name}/actions/runs/${run.id}/job/${job.id}">${job.name}</a>`,
          state(job.status, job.conclusion),
          job.runner?.name,
          when(job.startedAt),
          when(job.completedAt),
        ]),
      )}${jobsOf(world, run, attempt).flatMap((job) => job.summaries.map((one) => html`<h3>${job.name}: summary</h3>${markdown(one)}`))}`,
  );
  const gates = [...world.protectionRequests.values()]
    .filter((one) => one.runId === run.id)
    .map((one) => [
      one.environment,
      app(world, one.appId).name,
      one.state,
      one.comments.map((comment) => html`${comment.text}<br>`),
    ]);
  const open = run.status !== "completed";
  const content = html`<p><a href="/${name}">${name}</a> · ${state(run.status, run.conclusion)} · ${run.event} by ${who(account(world, run.triggeringActorId))} at <code>${run.headSha.slice(0, 7)}</code>, started ${when(run.startedAt)}</p>
    ${open ? act(world, "cancel", target, null, "Cancel") : html`${act(world, "rerun", target, null, "Re-run all jobs")} ${act(world, "rerun", { ...target, only: "failed" }, null, "Re-run failed jobs")}`}
    ${attempts}${gates.length > 0 && html`<h2>Gates</h2>${table(["environment", "app", "verdict", "comments"], gates)}`}`;
  return layoutPage(`${run.name} #${run.runNumber}`, content, open ? refreshSeconds : undefined);
}

export function jobPage(world: World, repo: Repository, job: WorkflowJob): string {
  const run = required(world.runs.get(job.runId));
  const check = required(world.checkRuns.get(job.checkRunId));
  const log = job.log.join("");
  const cut = log.length > logShown;
  const steps = table(
    ["step", "state", "started", "completed"],
    job.steps.map((step) => [
      `${step.number}. ${step.name}`,
      state(step.status, step.conclusion),
      when(step.startedAt),
      when(step.completedAt),
    ]),
  );
  const content = html`<p><a href="/${fullName(world, repo)}/actions/runs/${run.id}">${run.name} #${run.runNumber}</a>, attempt ${job.attempt} · ${state(job.status, job.conclusion)}</p>${steps}
    <h2>Summary</h2>${job.summaries.length === 0 ? html`<p class="dim">none</p>` : job.summaries.map(markdown)}
    <h2>Check run</h2>${checkDetails(world, repo, check)}
    <h2>Log</h2>${cut && html`<p class="dim">The last ${logShown} characters; <a href="/_logs/${job.id}">all of it</a></p>`}<pre>${cut ? log.slice(-logShown) : log}</pre>`;
  return layoutPage(job.name, content, job.status === "completed" ? undefined : refreshSeconds);
}

export function deliveriesPage(world: World): string {
  const rows = [...world.deliveries.values()]
    .reverse()
    .slice(0, deliveriesShown)
    .map((one) => [
      when(one.queuedAt),
      `${one.event}${one.action === null ? "" : ` ${one.action}`}`,
      app(world, one.appId).name,
      one.deliveredAt === null
        ? html`<span class="busy">waiting</span>`
        : html`<span class="${one.statusCode >= 200 && one.statusCode < 300 ? "good" : "bad"}">${one.statusCode} ${one.status}</span>`,
      html`<a href="/_deliveries/${one.id}"><code>${one.guid}</code></a>${one.redelivery && " (again)"}`,
    ]);
  return layoutPage("Webhook deliveries", table(["queued", "event", "app", "answer", "id"], rows));
}

export function deliveryPage(world: World, id: string): string | null {
  const one = world.deliveries.get(id);
  if (one === undefined) return null;
  const payload = JSON.stringify(JSON.parse(one.request.body), null, 2);
  const headers = Object.entries(one.request.headers).map(([name, value]) => `${name}: ${value}\n`);
  return layoutPage(
    `${one.event} ${one.guid}`,
    html`<p>${one.statusCode} ${one.status}, ${one.duration} ms</p><h2>Request</h2><pre>${headers}</pre><pre>${payload}</pre><h2>Answer</h2><pre>${one.response?.body}</pre>`,
  );
}
