/** Webhooks of comments: their commands are recorded, from which follows what they do; the answer is an effect. */
import type { WebhookEvent } from "../../src/github/webhooks/webhook.ts";
import { commandsToAnswer, type ParsedCommand, readCommands } from "../../src/lifecycle/commands.ts";
import type { Act } from "../../src/lifecycle/facts/facts.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/policy/default-policy.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import { commandAct, sayEqual } from "../commands/acts.ts";
import { answerTo } from "../commands/answers/answer.ts";
import { PolicyUnreadable } from "../policies/policy.ts";
import { pullKeyOf } from "../reconciliation/ensure-pull.ts";
import type { PullId, Repository } from "../store/model.ts";
import { type ProcessingContext, storeEffects, type WebhookOrigin } from "./context.ts";
import { recordChange } from "./pulls.ts";

/** What is older was answered when it was written, or is of no interest any more. */
const OLDEST_ANSWERED = 3 * 24 * 60 * 60_000;

/** Our own comments hold no commands. */
export async function handleComment(
  { comment, number }: Extract<WebhookEvent, { kind: "comment" }>,
  origin: WebhookOrigin,
  context: ProcessingContext,
): Promise<void> {
  const { store, ourselves, now } = context;
  const { repository } = origin;
  if (comment.by.kind === "bot" && comment.by.login === ourselves().botLogin) {
    return;
  }
  const asked = readCommands(comment.body);
  if (asked.commands.length === 0) {
    return;
  }
  const edited = comment.before !== null;
  const id: PullId = { repositoryId: repository.id, number };
  const row = await store.pull(id);
  const actOf = (command: ParsedCommand): Act | null => (edited ? null : commandAct(command, comment, row));
  // Whatever the policy waits for now: what counts is what it waits for when the pull request is evaluated. Of one that
  // is not known yet this is the first that is told.
  const acts = asked.commands.flatMap((command) => actOf(command) ?? []);
  await recordChange({ pull: pullKeyOf(repository, number), kind: "acts", acts }, origin, context);
  const policy = await knownPolicy(repository, context);
  const answered = commandsToAnswer(asked, policy);
  const unchanged = edited && sayEqual(answered, commandsToAnswer(readCommands(comment.before ?? ""), policy));
  if (answered.length > 0 && !unchanged && comment.at > now() - OLDEST_ANSWERED) {
    const seen = answered.map((command) => ({ command, act: actOf(command) }));
    await storeEffects(origin, context, (installationId) => [
      answerTo(id, installationId, { ...comment, edited }, seen, now()),
    ]);
  }
}

/**
 * For what it waits for: where it cannot be used, nothing. The one that is known will do: it is read anew beside, and
 * GitHub may take its time.
 */
async function knownPolicy(repository: Repository, { policies }: ProcessingContext): Promise<Policy> {
  try {
    return (await policies.known(repository)) ?? (await policies.of(repository));
  } catch (error) {
    if (error instanceof PolicyUnreadable || repository.installationId === null) {
      return DEFAULT_POLICY;
    }
    throw error;
  }
}
