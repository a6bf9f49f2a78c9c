/** The front page, a repository, and its files. */
import {
  account,
  commit,
  fullName,
  labelsOn,
  type PullRequest,
  type Repository,
  resolveRef,
  runsOf,
  type World,
  workflowsOf,
} from "../world/index.ts";
import { type Html, html } from "./html.ts";
import { act, labelChip, layoutPage, state, table, when, who } from "./layout.ts";

export function front(world: World): string {
  const repositories = [...world.repositories.values()].map(
    (repo) => html`<h2><a href="/${fullName(world, repo)}">${fullName(world, repo)}</a></h2>${pullTable(world, repo)}`,
  );
  const apps = table(
    ["app", "installed on", "webhooks to"],
    [...world.installations.values()].map((one) => {
      const app = world.apps.get(one.appId);
      return [app?.name, account(world, one.accountId).login, app?.webhook?.url];
    }),
  );
  return layoutPage("Repositories", html`${repositories}<h2>Installed apps</h2>${apps}`);
}

function pullRow(world: World, repo: Repository, pull: PullRequest) {
  const shown = pull.merged ? "merged" : pull.draft ? "draft" : pull.state;
  return [
    html`<a href="/${fullName(world, repo)}/pull/${pull.number}">#${pull.number} ${pull.title}</a>`,
    shown,
    labelsOn(world, pull).map(labelChip),
    who(account(world, pull.authorId)),
    when(pull.updatedAt),
  ];
}

function pullTable(world: World, repo: Repository): Html {
  const pulls = [...repo.pulls.values()].reverse();
  return table(
    ["pull request", "state", "labels", "author", "updated"],
    pulls.map((pull) => pullRow(world, repo, pull)),
  );
}

export function repositoryPage(world: World, repo: Repository): string {
  const name = fullName(world, repo);
  const target = { repository: name };
  const runs = table(
    ["run", "state", "event", "at", "started"],
    runsOf(world, repo)
      .slice(0, 50)
      .map((run) => [
        html`<a href="/${name}/actions/runs/${run.id}">${run.name} #${run.runNumber}</a>`,
        state(run.status, run.conclusion),
        run.event,
        html`<code>${run.headBranch ?? run.headSha.slice(0, 7)}</code>`,
        when(run.startedAt),
      ]),
  );
  const branches = table(
    ["branch", "commit"],
    [...repo.refs]
      .filter(([ref]) => ref.startsWith("refs/heads/"))
      .map(([ref, sha]) => [
        html`<a href="/${name}/tree/${ref.slice(11)}">${ref.slice(11)}</a>`,
        html`<a href="/${name}/commit/${sha}"><code>${sha.slice(0, 7)}</code></a> ${commit(world, sha).message}`,
      ]),
  );
  const workflows = workflowsOf(world, repo).map(
    (one) => html`<option value="${one.path.split("/").at(-1)}">${one.name}</option>`,
  );
  const forms = html`
    ${act(world, "push", target, html`<input name="branch" placeholder="branch" required><input name="path" placeholder="file" required><input name="content" placeholder="content"><input name="message" placeholder="message">`, "Push a commit")}
    ${act(world, "open", target, html`<input name="head" placeholder="branch" required><input name="title" placeholder="title" required><label><input type="checkbox" name="draft" value="true"> draft</label>`, "Open a pull request")}
    ${workflows.length > 0 && act(world, "dispatch", target, html`<select name="workflow">${workflows}</select><input name="ref" value="${repo.defaultBranch}"><input name="inputs" placeholder='{"input": "value"}'>`, "Run a workflow")}`;
  return layoutPage(
    name,
    html`<h2>Pull requests</h2>${pullTable(world, repo)}<h2>Workflow runs</h2>${runs}<h2>Branches</h2>${branches}<h2>Act</h2>${forms}`,
  );
}

export function commitPage(world: World, repo: Repository, sha: string): string | null {
  const found = resolveRef(world, repo, sha);
  if (found === null) return null;
  const shown = commit(world, found);
  const about = html`<p>${who(account(world, shown.authorId))}, ${when(shown.at)}</p><pre>${shown.message}</pre><p><a href="/${fullName(world, repo)}/tree/${shown.sha}">its files</a></p>`;
  return layoutPage(`Commit ${shown.sha.slice(0, 7)}`, about);
}

export function treePage(world: World, repo: Repository, ref: string): string | null {
  const sha = resolveRef(world, repo, ref);
  if (sha === null) return null;
  const rows = [...commit(world, sha).files].map(([path, file]) => [
    html`<a href="/${fullName(world, repo)}/blob/${ref}/${path}">${path}</a>`,
    `${file.bytes.length} bytes`,
  ]);
  return layoutPage(`${fullName(world, repo)} at ${ref}`, table(["file", "size"], rows));
}

/** `main/src/a.txt`: branches may contain slashes, so every cut is tried. */
export function blobPage(world: World, repo: Repository, rest: string): string | null {
  for (const [index, letter] of [...rest].entries()) {
    if (letter !== "/") continue;
    const sha = resolveRef(world, repo, rest.slice(0, index));
    const path = rest.slice(index + 1);
    const file = sha === null ? undefined : commit(world, sha).files.get(path);
    if (file === undefined) continue;
    const lines = file.bytes
      .toString("utf8")
      .split("\n")
      .map((line, at) => html`<span id="L${at + 1}">${String(at + 1).padStart(4)}  ${line}\n</span>`);
    return layoutPage(path, html`<p>at <code>${rest.slice(0, index)}</code></p><pre>${lines}</pre>`);
  }
  return null;
}
