/** From a change to the payload that GitHub would send, and to whom. */

import { organizationSimple, simpleUser, team } from "../shapes/people.ts";
import { repositoryObject } from "../shapes/repositories.ts";
import { account, type Change, type Installation, installationsFor, permits, type World } from "../world/index.ts";
import * as checks from "./checks.ts";
import * as code from "./code.ts";
import * as pulls from "./pulls.ts";

/** What is told of a change; null: it is no webhook event. */
export function payload(world: World, change: Change): Record<string, unknown> | null {
  const own = body(world, change);
  if (own === null) return null;
  const organization = organizationOf(world, change);
  return {
    ...("repository" in change ? { repository: repositoryObject(world, change.repository) } : {}),
    ...(organization === null ? {} : { organization: organizationSimple(world, organization) }),
    sender: simpleUser(world, change.actor.account),
    ...own,
  };
}

function body(world: World, change: Change): Record<string, unknown> | null {
  switch (change.kind) {
    case "pull_request":
      return pulls.pullRequest(world, change);
    case "pull_request_review":
      return pulls.pullRequestReview(world, change);
    case "issue_comment":
      return pulls.issueComment(world, change);
    case "check_run":
      return checks.checkRunPayload(world, change);
    case "check_suite":
      return checks.checkSuitePayload(world, change);
    case "status":
      return checks.statusPayload(world, change);
    case "push":
      return code.push(world, change);
    case "create":
    case "delete":
      return code.refCreated(change);
    case "label":
      return code.labelPayload(world, change);
    case "workflow_run":
      return checks.workflowRunPayload(world, change);
    case "workflow_job":
      return checks.workflowJobPayload(world, change);
    case "deployment":
      return checks.deploymentPayload(world, change);
    case "deployment_status":
      return checks.deploymentStatus(world, change);
    case "deployment_protection_rule":
      return checks.protectionRulePayload(world, change);
    case "workflow_dispatch":
      return { inputs: change.inputs, ref: change.run.ref, workflow: change.workflow.path };
    case "repository_dispatch":
      return {
        action: change.eventType,
        branch: change.repository.defaultBranch,
        client_payload: change.clientPayload,
      };
    case "merge_group":
      return checks.mergeGroup(world, change);
    case "team":
      return code.teamPayload(world, change);
    case "team_add":
      return { team: team(world, change.team) };
    case "membership":
      return code.membership(world, change);
    case "organization":
      return code.organizationPayload(world, change);
    case "member":
      return code.member(world, change);
    case "repository":
      return code.repositoryPayload(world, change);
    case "installation":
      return code.installationPayload(world, change);
    case "installation_repositories":
      return code.installationRepositories(world, change);
    case "rerun_wanted":
    case "cancel_wanted":
    case "gate_decided":
      return null;
  }
}

function organizationOf(world: World, change: Change) {
  if ("organization" in change) return change.organization;
  if (!("repository" in change)) return null;
  const owner = account(world, change.repository.ownerId);
  return owner.type === "Organization" ? owner : null;
}

/** The permission without which an installation is not told (any of them will do). */
const needed: Partial<Record<Change["kind"], readonly string[]>> = {
  pull_request: ["pull_requests"],
  pull_request_review: ["pull_requests"],
  issue_comment: ["issues", "pull_requests"],
  check_run: ["checks"],
  check_suite: ["checks"],
  status: ["statuses"],
  push: ["contents"],
  create: ["contents"],
  delete: ["contents"],
  label: ["issues", "pull_requests"],
  workflow_run: ["actions"],
  workflow_job: ["actions"],
  deployment: ["deployments"],
  deployment_status: ["deployments"],
  deployment_protection_rule: ["deployments"],
  workflow_dispatch: ["contents"],
  repository_dispatch: ["contents"],
  merge_group: ["merge_queues"],
  team: ["members"],
  team_add: ["members"],
  membership: ["members"],
  organization: ["members"],
  member: ["members"],
};

/** The installations that are told. */
export function recipients(world: World, change: Change): Installation[] {
  if (change.kind === "installation" || change.kind === "installation_repositories") return [change.installation];
  const near =
    "repository" in change
      ? installationsFor(world, change.repository)
      : [...world.installations.values()].filter((one) => one.accountId === change.organization.id);
  const permissions = needed[change.kind];
  return near.filter(
    (one) =>
      one.suspendedAt === null &&
      one.events.includes(change.kind) &&
      (permissions === undefined || permissions.some((name) => permits(one.permissions, name, "read"))) &&
      concerns(change, one.appId),
  );
}

/** Some events are for one app alone: its own check was asked for again, its own verdict is wanted. */
function concerns(change: Change, appId: number): boolean {
  if (change.kind === "deployment_protection_rule") return change.request.appId === appId;
  if (change.kind === "check_run" && (change.action === "rerequested" || change.action === "requested_action"))
    return change.run.appId === appId;
  if (change.kind === "check_suite" && change.action !== "completed") return change.suite.appId === appId;
  return true;
}
