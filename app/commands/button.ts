import { z } from "zod";
import { act as actOf } from "../../src/lifecycle/facts/change.ts";
import type { Act, Actor } from "../../src/lifecycle/facts/facts.ts";
import { record } from "../../src/lifecycle/facts/record.ts";
import { pressed } from "../../src/lifecycle/presentation/buttons.ts";
import { clip, codeSpan, markdown, oneLine } from "../../src/report/escape.ts";
import { audit } from "../audit/audit.ts";
import { type EffectPayload, newEffect, PAYLOADS } from "../effects/effect.ts";
import type { EffectContext, EffectHandler, Performed } from "../effects/handler.ts";
import { notCertain } from "../effects/handlers/comment.ts";
import type { Evaluator } from "../evaluation/evaluator.ts";
import { changePull, sooner } from "../store/change-pull.ts";
import type { Delivery, NewEffect, Pull, PullId } from "../store/model.ts";
import { contentOf, type sentByGitHub } from "../webhooks/replays.ts";
import { decidedOnce, say } from "./answers/answer.ts";
import type { CommandExecutor } from "./execute.ts";
import type { RunDecider } from "./run-decisions.ts";

const LONGEST = 60;
const LONGEST_REASON = 1_000;

type Payload = EffectPayload<"button">;

export interface PressedButton {
  readonly identifier: string;
  readonly check: string;
  readonly by: Actor;
  /** The run that the check run is of; left out: it is none of a plan's run. */
  readonly run?: string;
}

/** What became of the press, kept before it is said: pressed again for a failed answer, it would be refused. */
const decided = z.object({ refused: z.string().nullable() });

/** In the place of a pull request's number: the run is about none that is known. */
export const NO_PULL = 0;

/** What is done about it: once for each delivery that tells of a press. */
export function buttonEffect(
  pull: PullId,
  installationId: number,
  pressed: PressedButton,
  delivery: Pick<Delivery, "id" | "seq" | "receivedAt" | "event" | "payload">,
): NewEffect {
  const { id, seq, receivedAt } = delivery;
  const { identifier, check, by, run = null } = pressed;
  return newEffect(
    "button",
    pull,
    { installationId, occasion: { of: "button", deliveryId: id }, at: receivedAt },
    {
      identifier: clip(oneLine(identifier), LONGEST),
      check: clip(oneLine(check), 2 * LONGEST),
      run,
      by,
      at: receivedAt,
      seq,
      delivery: { id, content: contentOf(delivery) },
    },
  );
}

/** `sent`: whether GitHub says that it sent this delivery, see `replays.ts`. */
export function buttonHandler(
  executor: CommandExecutor,
  evaluator: Evaluator,
  runs: RunDecider,
  sent: ReturnType<typeof sentByGitHub>,
): EffectHandler<"button"> {
  return async (press, context): Promise<Performed> => {
    const { pull, repository, effect } = context;
    const unsure = notCertain(context);
    if (unsure !== null) {
      return { state: "again", at: unsure, reason: "whether it was answered already is not certain yet" };
    }
    if (pull === null && press.run === null) {
      return { state: "dropped", reason: "the pull request is not known any more" };
    }
    const copied = await copyOf(press, context, sent);
    if (copied !== null) {
      return copied;
    }
    const [{ refused }, after] = await decidedOnce(context, decided, async () => ({
      refused: await refusalOf(press, context, executor, evaluator, runs),
    }));
    const button = `the button “${press.identifier}” of “${press.check}”`;
    const line = { kind: "note", actor: press.by } as const;
    if (refused === null) {
      return { state: "done", note: `${press.by.login} pressed ${button}: done`, line };
    }
    const body = `${markdown(press.by.login)}, ${codeSpan(press.identifier)} on ${codeSpan(press.check)}: ${markdown(clip(refused, LONGEST_REASON))}.`;
    const result = effect.number === NO_PULL ? null : await say(after, effect.key, body);
    const where = `${repository.owner}/${repository.name}`;
    audit(context.log, "button.refused", { repository: where, pull: effect.number, by: press.by });
    return { state: "done", result, note: `${press.by.login} pressed ${button}: refused, ${refused}`, line };
  };
}

/** Null: it is a press of its own; else what becomes of it. */
async function copyOf(
  { delivery, at }: Payload,
  { store, effect, signal, repository, log, now, timings }: EffectContext,
  sent: ReturnType<typeof sentByGitHub>,
): Promise<Performed | null> {
  if (delivery === null) {
    return null;
  }
  const earlier = (await store.effectsOf(effect)).some(
    (each) =>
      each.kind === "button" &&
      each.id < effect.id &&
      PAYLOADS.button.safeParse(each.payload).data?.delivery?.content === delivery.content,
  );
  const answer = earlier ? await sent(delivery.id, at, signal) : "sent";
  switch (answer) {
    case "sent":
      return null;
    case "not yet":
      // Each pause as long as all before it.
      return {
        state: "again",
        at: now() + Math.max(timings.reevaluationPause, now() - at),
        reason: "GitHub may not have listed its delivery yet",
      };
    case "not sent": {
      const where = `${repository.owner}/${repository.name}`;
      log.warn(
        { repository: where, pull: effect.number, delivery: delivery.id },
        "a copy of a button's press was sent by somebody else than GitHub, who can read our webhooks; change the webhook secret, and find out where they can be read",
      );
      return { state: "dropped", reason: "it is a copy of a press that was told before: GitHub did not send it" };
    }
  }
}

/** Null: it was allowed, and carried out; else why not. */
async function refusalOf(
  press: Payload,
  context: EffectContext,
  executor: CommandExecutor,
  evaluator: Evaluator,
  runs: RunDecider,
): Promise<string | null> {
  const { pull, repository } = context;
  if (press.run !== null) return await runs.press({ ...press, run: press.run }, repository);
  return pull === null ? null : await decideAndExecute(press, pull, context, executor, evaluator);
}

/** The same for the buttons of a pull request's stages. */
async function decideAndExecute(
  press: Payload,
  pull: Pull,
  context: EffectContext,
  executor: CommandExecutor,
  evaluator: Evaluator,
): Promise<string | null> {
  const { repository } = context;
  const { by, seq } = press;
  // No comment of GitHub's has an id like that.
  const commentId = `-${seq}`;
  const ours = (act: Act): boolean => act.kind === "command" && act.commentId === commentId;
  const known = pull.facts.acts.find(ours);
  const without = { ...pull, facts: { ...pull.facts, acts: pull.facts.acts.filter((act) => !ours(act)) } };
  const { evaluation } = await evaluator.evaluate(without, repository);
  const meant = pressed(press.identifier, press.check, evaluation);
  if ("refused" in meant) {
    return meant.refused;
  }
  const { name, argument } = meant.command;
  // GitHub does not date it: as all dates it is of whole seconds, and it follows on what was done before.
  const newest = without.facts.acts.at(-1)?.at ?? 0;
  const at = known?.at ?? Math.max(press.at - (press.at % 1_000), newest);
  const act = known ?? actOf({ kind: "command", at, by, commentId, command: name, argument });
  const [outcome] = await executor.execute([{ command: meant.command, by, at, act }], pull, repository);
  if (outcome?.outcome === "refused") {
    return outcome.reason;
  }
  await recordAct(act, pull, context);
  return null;
}

async function recordAct(
  act: Act,
  { repositoryId, number }: Pull,
  { store, now, wakeups }: EffectContext,
): Promise<void> {
  await changePull(store, { repositoryId, number }, now, (row) => {
    if (row === null) {
      return null;
    }
    const { installationId, repository } = row.facts;
    const facts = record(row.facts, { kind: "acts", pull: { installationId, repository, number }, acts: [act] });
    return { pull: { ...row, facts, reevaluateAt: sooner(row.reevaluateAt, now()) } };
  });
  wakeups.notify("pulls");
}
