/** Mutations of check runs and refs. */

import type {
  CheckAnnotationData,
  CreateCheckRunInput,
  CreateCheckSuiteInput,
  CreateRefInput,
  RerequestCheckSuiteInput,
  UpdateCheckRunInput,
} from "@octokit/graphql-schema";
import * as w from "../../world/index.ts";
import { actor, type Context, failure, need, notResolved, writingApp } from "../define.ts";
import { CheckRunType, CheckSuiteType } from "../entities.ts";
import { RefType } from "../types/repository.ts";
import { checkRunBy, given, type Input, repoOf, repositoryBy, time } from "./common.ts";

const levels = { FAILURE: "failure", NOTICE: "notice", WARNING: "warning" } as const;
const statuses = {
  COMPLETED: "completed",
  IN_PROGRESS: "in_progress",
  PENDING: "pending",
  QUEUED: "queued",
  REQUESTED: "requested",
  WAITING: "waiting",
} as const;

function annotation(data: CheckAnnotationData): w.Annotation {
  const { startLine, endLine, startColumn = null, endColumn = null } = data.location;
  return {
    path: data.path,
    startLine,
    endLine,
    startColumn,
    endColumn,
    level: levels[data.annotationLevel],
    message: data.message,
    title: data.title ?? null,
    rawDetails: data.rawDetails ?? null,
  };
}

function conclusionOf(text: string | null | undefined): w.Conclusion | undefined {
  return w.conclusions.find((one) => one === text?.toLowerCase());
}

function fieldsOf(input: CreateCheckRunInput | UpdateCheckRunInput): w.CheckFields {
  const { output } = input;
  const status = input.status ? statuses[input.status] : undefined;
  const shown = output
    ? {
        title: output.title,
        summary: output.summary,
        ...given({ text: output.text }),
        annotations: (output.annotations ?? []).map(annotation),
      }
    : undefined;
  return given({
    detailsUrl: input.detailsUrl,
    externalId: input.externalId,
    status,
    conclusion: conclusionOf(input.conclusion),
    startedAt: time(input.startedAt),
    completedAt: time(input.completedAt),
    output: shown,
    actions: input.actions,
  });
}

/** Checks belong to the app whose token is used. */
function writing(context: Context, repo: w.Repository): w.App {
  need(context, repo, "write", null, "checks");
  return writingApp(context);
}

export const checkMutations = {
  createCheckRun: (_root: null, { input }: Input<CreateCheckRunInput>, context: Context) => {
    const repository = repositoryBy(context, input.repositoryId);
    const app = writing(context, repository);
    const run = w.createCheckRun(context.world, actor(context), {
      ...fieldsOf(input),
      repository,
      app,
      headSha: input.headSha,
      name: input.name,
    });
    return { clientMutationId: input.clientMutationId ?? null, checkRun: CheckRunType(run) };
  },
  updateCheckRun: (_root: null, { input }: Input<UpdateCheckRunInput>, context: Context) => {
    const run = checkRunBy(context, input.checkRunId);
    const repository = repositoryBy(context, input.repositoryId);
    const app = writing(context, repository);
    if (run.repositoryId !== repository.id) throw notResolved(input.checkRunId);
    if (run.appId !== app.id)
      throw failure("FORBIDDEN", "Check run can only be modified by the GitHub App that created it.");
    w.updateCheckRun(context.world, actor(context), run, { ...fieldsOf(input), ...given({ name: input.name }) });
    return { clientMutationId: input.clientMutationId ?? null, checkRun: CheckRunType(run) };
  },
  createCheckSuite: (_root: null, { input }: Input<CreateCheckSuiteInput>, context: Context) => {
    const repository = repositoryBy(context, input.repositoryId);
    const app = writing(context, repository);
    if (!context.world.commits.has(input.headSha))
      throw failure("UNPROCESSABLE", `No commit found for SHA: ${input.headSha}`);
    const known = w.suiteOf(context.world, repository, app.id, input.headSha);
    const suite = known ?? w.makeSuite(context.world, { repository, appId: app.id, sha: input.headSha, branch: null });
    return { clientMutationId: input.clientMutationId ?? null, checkSuite: CheckSuiteType(suite) };
  },
  rerequestCheckSuite: (_root: null, { input }: Input<RerequestCheckSuiteInput>, context: Context) => {
    const node = context.world.nodes.get(input.checkSuiteId);
    if (node?.type !== "CheckSuite") throw notResolved(input.checkSuiteId);
    need(context, repoOf(context, node.value), "write", "write", "checks");
    w.rerequestSuite(context.world, actor(context), node.value);
    return { clientMutationId: input.clientMutationId ?? null, checkSuite: CheckSuiteType(node.value) };
  },
  createRef: (_root: null, { input }: Input<CreateRefInput>, context: Context) => {
    const repo = repositoryBy(context, input.repositoryId);
    need(context, repo, "write", "write", "contents");
    w.createRef(context.world, actor(context), repo, input.name, input.oid);
    return { clientMutationId: input.clientMutationId ?? null, ref: RefType({ repo, name: input.name }) };
  },
};
