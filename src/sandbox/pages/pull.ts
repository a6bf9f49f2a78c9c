/** A pull request: labels, checks with their text, history, and forms to act. */
import { pullFiles } from "../shapes/pulls.ts";
import {
  account,
  app,
  type CheckRun,
  checkRunsOn,
  fullName,
  labelsOn,
  latestRuns,
  latestStatuses,
  lineCounts,
  mergeState,
  type PullRequest,
  type Repository,
  type TimelineEvent,
  type World,
} from "../world/index.ts";
import { type Html, html, type Piece } from "./html.ts";
import { act, labelChip, layoutPage, markdown, state, table, when, who } from "./layout.ts";

export function pullPage(world: World, repo: Repository, pull: PullRequest): string {
  const name = fullName(world, repo);
  const shown = pull.merged ? "merged" : pull.draft ? "draft" : pull.state;
  const labels = labelsOn(world, pull);
  const facts = html`<p>${shown}${pull.state === "open" && html`, ${mergeState(world, pull)}`} · ${who(account(world, pull.authorId))} wants
    <code>${pull.head.ref}</code> (<a href="/${name}/commit/${pull.head.sha}"><code>${pull.head.sha.slice(0, 7)}</code></a>) in <code>${pull.base.ref}</code></p>
    <p>Labels: ${labels.length === 0 ? html`<span class="dim">none</span>` : labels.map(labelChip)}</p>`;
  const runs = latestRuns(checkRunsOn(world, repo, pull.head.sha)).map((run) => checkDetails(world, repo, run));
  const statuses = latestStatuses(world, repo, pull.head.sha).map((one) => [one.context, one.state, one.description]);
  const files = table(
    ["file", "", "+", "−"],
    pullFiles(world, pull).map((change) => [
      html`<a href="/${name}/blob/${pull.head.sha}/${change.path}">${change.path}</a>`,
      change.status,
      lineCounts(change).additions,
      lineCounts(change).deletions,
    ]),
  );
  const history = table(
    ["when", "who", "what"],
    pull.timeline.map((event) => [when(event.at), who(account(world, event.actorId)), describe(world, pull, event)]),
  );
  return layoutPage(
    `${pull.title} #${pull.number}`,
    html`<p><a href="/${name}">${name}</a></p>${facts}${markdown(pull.body)}<h2>Act</h2>${forms(world, name, pull)}
    <h2>Checks</h2>${runs.length === 0 ? html`<p class="dim">none</p>` : runs}${statuses.length > 0 && table(["status", "", ""], statuses)}
    <h2>History</h2>${history}<h2>Files</h2>${files}`,
  );
}

function forms(world: World, name: string, pull: PullRequest): Html {
  const target = { repository: name, number: pull.number };
  const one = (what: string, fields: Piece, button: string) => act(world, what, target, fields, button);
  const known = html`<datalist id="labels">${[...world.repositories.values()].flatMap((repo) => [...repo.labels.values()].map((label) => html`<option value="${label.name}">`))}</datalist>`;
  return html`${known}
    ${one("label", html`<input name="label" list="labels" placeholder="label" required>`, "Add label")}
    ${one("unlabel", html`<input name="label" list="labels" placeholder="label" required>`, "Remove label")}
    ${one("review", html`<select name="state"><option value="APPROVED">approve</option><option value="CHANGES_REQUESTED">request changes</option><option value="COMMENTED">comment</option></select><input name="body" placeholder="text">`, "Submit review")}
    ${one("comment", html`<input name="body" placeholder="/stage status" required>`, "Comment")}
    ${act(world, "push", { repository: name, branch: pull.head.ref, back: `/${name}/pull/${pull.number}` }, html`<input name="path" value="notes.txt" required><input name="content" placeholder="content"><input name="message" placeholder="message">`, "Push a commit")}
    ${pull.draft ? one("ready", null, "Ready for review") : one("draft", null, "Convert to draft")}
    ${pull.state === "open" ? html`${one("close", null, "Close")} ${one("merge", html`<select name="method"><option>merge</option><option>squash</option><option>rebase</option></select>`, "Merge")}` : !pull.merged && one("reopen", null, "Reopen")}`;
}

/** A check run with everything that its app wrote into it. */
export function checkDetails(world: World, repo: Repository, run: CheckRun, open = false): Html {
  const name = fullName(world, repo);
  const { title, summary, text } = run.output;
  const annotations = run.annotations.map((one) => [
    one.level,
    html`<a href="/${name}/blob/${run.headSha}/${one.path}#L${one.startLine}">${one.path}:${one.startLine}</a>`,
    html`${one.title !== null && html`<b>${one.title}</b><br>`}<pre>${one.message}</pre>${one.rawDetails !== null && html`<pre>${one.rawDetails}</pre>`}`,
  ]);
  const job = run.jobId === null ? undefined : world.jobs.get(run.jobId);
  const buttons = [
    ...run.actions.map((action) =>
      act(
        world,
        "action",
        { repository: name, checkRun: run.id, identifier: action.identifier },
        html`<span title="${action.description}"></span>`,
        action.label,
      ),
    ),
    job === undefined && act(world, "rerequest", { repository: name, checkRun: run.id }, null, "Re-run"),
  ];
  return html`${open ? html`<details open>` : html`<details>`}<summary>${state(run.status, run.conclusion)} <b>${run.name}</b> <span class="dim">by ${app(world, run.appId).name}</span> ${title}</summary>
    <p>started ${when(run.startedAt)}, completed ${when(run.completedAt)}${run.externalId !== "" && html`, external id <code>${run.externalId}</code>`}${run.detailsUrl !== null && html`, <a href="${run.detailsUrl}">details</a>`}</p>
    ${markdown(summary)}${markdown(text)}${annotations.length > 0 && table(["", "where", "what"], annotations)}
    ${job?.summaries.map((one) => html`<p class="dim">job summary</p>${markdown(one)}`)}${buttons}</details>`;
}

export function checkPage(world: World, repo: Repository, run: CheckRun): string {
  const commit = html`<p><a href="/${fullName(world, repo)}/commit/${run.headSha}"><code>${run.headSha.slice(0, 7)}</code></a></p>`;
  return layoutPage(run.name, html`${commit}${checkDetails(world, repo, run, true)}`);
}

function describe(world: World, pull: PullRequest, event: TimelineEvent): Piece {
  switch (event.event) {
    case "labeled":
      return html`added ${labelChip({ name: event.labelName, color: event.labelColor })}`;
    case "unlabeled":
      return html`removed ${labelChip({ name: event.labelName, color: event.labelColor })}`;
    case "reviewed": {
      const review = pull.reviews.find((one) => one.id === event.reviewId);
      return html`reviewed ${review?.commitSha.slice(0, 7)}: <b>${review?.state.toLowerCase().replaceAll("_", " ")}</b> ${markdown(review?.body ?? "")}`;
    }
    case "review_dismissed":
      return html`dismissed a review: ${event.message}`;
    case "commented":
      return html`commented ${markdown(pull.comments.find((one) => one.id === event.commentId)?.body ?? "")}`;
    case "committed":
      return html`committed <code>${event.sha.slice(0, 7)}</code> ${world.commits.get(event.sha)?.message}`;
    case "head_ref_force_pushed":
      return html`force-pushed from <code>${event.before.slice(0, 7)}</code> to <code>${event.after.slice(0, 7)}</code>`;
    case "merged":
      return html`merged as <code>${event.sha.slice(0, 7)}</code>`;
    case "renamed":
      return html`renamed it from “${event.from}” to “${event.to}”`;
    case "base_ref_changed":
      return html`changed the base from <code>${event.from}</code> to <code>${event.to}</code>`;
    case "review_requested":
    case "review_request_removed": {
      const { reviewer } = event;
      const asked =
        reviewer.kind === "user" ? account(world, reviewer.accountId).login : world.teams.get(reviewer.teamId)?.slug;
      return `${event.event === "review_requested" ? "asked for a review by" : "no longer asks"} ${asked}`;
    }
    case "assigned":
    case "unassigned":
      return `${event.event} ${account(world, event.assigneeId).login}`;
    case "convert_to_draft":
    case "ready_for_review":
    case "closed":
    case "reopened":
    case "auto_merge_enabled":
    case "auto_merge_disabled":
      return event.event.replaceAll("_", " ");
  }
}
