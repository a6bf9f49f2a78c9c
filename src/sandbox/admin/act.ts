/** Acting in somebody's name: what the pages' forms do. It goes the way that GitHub's own buttons go. */
import { z } from "zod";
import * as w from "../world/index.ts";

const number = z.coerce.number().int().positive();
/** Beyond 2^53, so no safe integer. */
const id = z.coerce.number().positive().refine(Number.isInteger, { error: "expected an id" });
const onPull = { as: z.string(), repository: z.string(), number };
const onRepository = { as: z.string(), repository: z.string() };

const inputsText = z
  .string()
  .default("")
  .transform((text, context) => {
    if (text.trim() === "") return {};
    try {
      return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
    } catch {
      context.addIssue({ code: "custom", message: "inputs must be a JSON object" });
      return z.NEVER;
    }
  });

export const actSchema = z.discriminatedUnion("do", [
  z.object({ do: z.literal("label"), ...onPull, label: z.string().min(1) }),
  z.object({ do: z.literal("unlabel"), ...onPull, label: z.string().min(1) }),
  z.object({
    do: z.literal("review"),
    ...onPull,
    state: z.enum(["APPROVED", "CHANGES_REQUESTED", "COMMENTED"]),
    body: z.string().default(""),
  }),
  z.object({ do: z.literal("dismiss"), ...onPull, review: id, message: z.string() }),
  z.object({ do: z.literal("comment"), ...onPull, body: z.string() }),
  z.object({ do: z.literal("draft"), ...onPull }),
  z.object({ do: z.literal("ready"), ...onPull }),
  z.object({ do: z.literal("close"), ...onPull }),
  z.object({ do: z.literal("reopen"), ...onPull }),
  z.object({ do: z.literal("merge"), ...onPull, method: z.enum(["merge", "squash", "rebase"]).default("merge") }),
  z.object({
    do: z.literal("edit"),
    ...onPull,
    title: z.string().optional(),
    body: z.string().optional(),
    base: z.string().optional(),
  }),
  z.object({
    do: z.literal("push"),
    ...onRepository,
    branch: z.string().min(1),
    path: z.string().min(1),
    content: z.string().default(""),
    message: z.string().default(""),
    back: z.string().optional(),
  }),
  z.object({
    do: z.literal("open"),
    ...onRepository,
    head: z.string(),
    base: z.string().optional(),
    title: z.string().min(1),
    body: z.string().default(""),
    draft: z.literal("true").optional(),
  }),
  z.object({ do: z.literal("dispatch"), ...onRepository, workflow: z.string(), ref: z.string(), inputs: inputsText }),
  z.object({ do: z.literal("rerun"), ...onRepository, run: id, only: z.literal("failed").optional() }),
  z.object({ do: z.literal("cancel"), ...onRepository, run: id }),
  z.object({ do: z.literal("rerequest"), ...onRepository, checkRun: id }),
  z.object({ do: z.literal("action"), ...onRepository, checkRun: id, identifier: z.string() }),
]);

export type Act = z.infer<typeof actSchema>;

/** What a person needs in the repository. An app needs to be installed on it. */
const needed: Record<Act["do"], w.RepositoryPermission> = {
  label: "triage",
  unlabel: "triage",
  review: "read",
  dismiss: "write",
  comment: "read",
  draft: "write",
  ready: "write",
  close: "triage",
  reopen: "triage",
  merge: "write",
  edit: "write",
  push: "write",
  open: "read",
  dispatch: "write",
  rerun: "write",
  cancel: "write",
  rerequest: "write",
  action: "write",
};

/** What authors may do to their own pull requests in any case. */
const ofAuthors: ReadonlySet<Act["do"]> = new Set(["draft", "ready", "close", "reopen", "edit"]);

function mayAct(world: w.World, repo: w.Repository, who: w.Account, act: Act): void {
  if (who.appId !== null) {
    if (w.installationsFor(world, repo).some((one) => one.appId === who.appId)) return;
    throw new w.WorldError("forbidden", `${who.login} is not installed on ${repo.name}`);
  }
  if ("number" in act && ofAuthors.has(act.do) && repo.pulls.get(act.number)?.authorId === who.id) return;
  const has = w.permissionOf(world, repo, who);
  if (w.atLeast(has, needed[act.do])) return;
  throw new w.WorldError(
    "forbidden",
    `${who.login} has ${has} permission on ${repo.name}; this takes ${needed[act.do]}`,
  );
}

/** Does it, and tells where to look now. @throws WorldError as GitHub would refuse it */
export function perform(world: w.World, act: Act): string {
  const [owner = "", name = ""] = act.repository.split("/");
  const repo = w.requireRepository(world, owner, name);
  const who = w.required(w.accountByLogin(world, act.as), `nobody is called ${act.as}`);
  mayAct(world, repo, who, act);
  const actor = who.appId === null ? w.asUser(who) : w.asApp(world, w.app(world, who.appId));
  const home = `/${w.fullName(world, repo)}`;
  switch (act.do) {
    case "push":
      return push(world, repo, actor, act) ?? home;
    case "open": {
      const made = w.openPull(world, actor, repo, {
        title: act.title,
        body: act.body,
        head: act.head,
        base: act.base ?? repo.defaultBranch,
        draft: act.draft === "true",
      });
      return `${home}/pull/${made.number}`;
    }
    case "dispatch": {
      const workflow = w.required(w.findWorkflow(world, repo, act.workflow), `no workflow ${act.workflow}`);
      const run = w.dispatchWorkflow(world, actor, repo, workflow, { ref: act.ref, inputs: act.inputs });
      return `${home}/actions/runs/${run.id}`;
    }
    case "rerun":
    case "cancel": {
      const run = w.required(world.runs.get(act.run), `no run ${act.run}`);
      if (act.do === "cancel") w.cancelRun(world, actor, run);
      else w.rerun(world, actor, run, act.only ?? "all");
      return `${home}/actions/runs/${run.id}`;
    }
    case "rerequest":
    case "action": {
      const run = w.required(world.checkRuns.get(act.checkRun), `no check run ${act.checkRun}`);
      if (act.do === "rerequest") w.rerequestCheckRun(world, actor, run);
      else w.requestAction(world, actor, run, act.identifier);
      const pull = [...repo.pulls.values()].find((one) => one.head.sha === run.headSha);
      return pull === undefined ? `${home}/runs/${run.id}` : `${home}/pull/${pull.number}`;
    }
    default:
      onPullRequest(world, repo, actor, act);
      return `${home}/pull/${act.number}`;
  }
}

function push(world: w.World, repo: w.Repository, actor: w.Actor, act: Extract<Act, { do: "push" }>): string | null {
  const message = act.message === "" ? `Change ${act.path}` : act.message;
  // Pressed twice, it still is a new commit.
  const content = act.content === "" ? `${new Date(world.now()).toISOString()}\n` : `${act.content}\n`;
  w.commitFiles(world, actor, repo, { branch: act.branch, message, files: { [act.path]: content } });
  return act.back !== undefined && /^\/(?!\/)/.test(act.back) ? act.back : null;
}

function onPullRequest(
  world: w.World,
  repo: w.Repository,
  actor: w.Actor,
  act: Extract<Act, { number: number }>,
): void {
  const pull = w.required(repo.pulls.get(act.number), `no pull request ${act.number}`);
  switch (act.do) {
    case "label":
      w.addLabelsByName(world, actor, pull, [act.label]);
      return;
    case "unlabel":
      w.removeLabelByName(world, actor, pull, act.label);
      return;
    case "review":
      w.submitReview(world, actor, pull, { state: act.state, body: act.body });
      return;
    case "dismiss": {
      const review = w.required(
        pull.reviews.find((one) => one.id === act.review),
        `no review ${act.review}`,
      );
      w.dismissReview(world, actor, pull, review, act.message);
      return;
    }
    case "comment":
      w.addComment(world, actor, pull, act.body);
      return;
    case "draft":
      w.setDraft(world, actor, pull, true);
      return;
    case "ready":
      w.setDraft(world, actor, pull, false);
      return;
    case "close":
      w.closePull(world, actor, pull);
      return;
    case "reopen":
      w.reopenPull(world, actor, pull);
      return;
    case "merge":
      w.mergePull(world, actor, pull, { method: act.method });
      return;
    case "edit":
      w.editPull(world, actor, pull, {
        ...(act.title === undefined ? {} : { title: act.title }),
        ...(act.body === undefined ? {} : { body: act.body }),
        ...(act.base === undefined ? {} : { base: act.base }),
      });
      return;
  }
}
