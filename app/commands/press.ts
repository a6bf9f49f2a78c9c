/** What follows from a press of a button on one of our check runs: the same as from the command in a comment. */
import { z } from "zod";
import { pressed } from "../../src/lifecycle/buttons.ts";
import { act as actOf } from "../../src/lifecycle/change.ts";
import type { Act, Actor } from "../../src/lifecycle/facts.ts";
import { record } from "../../src/lifecycle/record.ts";
import { clip, codeSpan, markdown, oneLine } from "../../src/report/escape.ts";
import { notCertain } from "../actions/comment.ts";
import { type EffectContext, handler, type Performed, type StoredHandler } from "../actions/handler.ts";
import type { Judge } from "../judge.ts";
import { changePull, sooner } from "../pull-rows.ts";
import type { Delivery, NewEffect, Pull, PullId } from "../store/store.ts";
import { say } from "./answer.ts";
import type { Desk } from "./desk.ts";

const KIND = "press";
const LONGEST = 60;
const LONGEST_REASON = 1_000;

const payload = z.object({
  /** Of the button, as the event names it: it may be anything. */
  identifier: z.string(),
  /** Name of the check run. */
  check: z.string(),
  by: z.object({ kind: z.enum(["user", "bot"]), id: z.number(), login: z.string() }),
  at: z.number(),
  /** Of the delivery that told of it: grows, and is the press's own. */
  seq: z.number(),
});

type Payload = z.infer<typeof payload>;

export interface Press {
  readonly identifier: string;
  readonly check: string;
  readonly by: Actor;
}

/** What is done about it: once for each delivery that tells of a press. */
export function pressEffect(
  { repositoryId, number }: PullId,
  installationId: number,
  press: Press,
  { id, seq, receivedAt }: Pick<Delivery, "id" | "seq" | "receivedAt">,
): NewEffect {
  const { identifier, check, by } = press;
  return {
    repositoryId,
    number,
    installationId,
    key: `${repositoryId}-${number}-${KIND}-${id}`,
    kind: KIND,
    payload: {
      identifier: clip(oneLine(identifier), LONGEST),
      check: clip(oneLine(check), 2 * LONGEST),
      by,
      at: receivedAt,
      seq,
    } satisfies Payload,
    nextAt: receivedAt,
  };
}

export function pressHandler(desk: Desk, judge: Judge): StoredHandler {
  return handler({
    kind: KIND,
    schema: payload,
    perform: async (press, context): Promise<Performed> => {
      const { pull, repository, effect } = context;
      const unsure = notCertain(context);
      if (unsure !== null) {
        return { state: "again", at: unsure, reason: "whether it was answered already is not certain yet" };
      }
      if (pull === null) {
        return { state: "dropped", reason: "the pull request is not known any more" };
      }
      const refused = await take(press, pull, context, desk, judge);
      const button = `the button “${press.identifier}” of “${press.check}”`;
      const line = { kind: "note", actor: press.by } as const;
      if (refused === null) {
        return { state: "done", note: `${press.by.login} pressed ${button}: done`, line };
      }
      const body = `${markdown(press.by.login)}, ${codeSpan(press.identifier)} on ${codeSpan(press.check)}: ${markdown(clip(refused, LONGEST_REASON))}.`;
      const result = await say(context, effect.key, body);
      const where = `${repository.owner}/${repository.name}`;
      context.log.info({ repository: where, pull: effect.number, by: press.by.login, refused }, "button refused");
      return { state: "done", result, note: `${press.by.login} pressed ${button}: refused, ${refused}`, line };
    },
  });
}

/** Null: it was allowed, and carried out; else why not. */
async function take(
  press: Payload,
  pull: Pull,
  context: EffectContext,
  desk: Desk,
  judge: Judge,
): Promise<string | null> {
  const { repository } = context;
  const { by, seq } = press;
  const ours = (act: Act): boolean => act.kind === "command" && act.commentId === -seq;
  const known = pull.facts.acts.find(ours);
  const without = { ...pull, facts: { ...pull.facts, acts: pull.facts.acts.filter((act) => !ours(act)) } };
  const { evaluation } = await judge.judge(without, repository);
  const meant = pressed(press.identifier, press.check, evaluation);
  if ("refused" in meant) {
    return meant.refused;
  }
  const { name, argument } = meant.command;
  // GitHub does not date it: as all dates it is of whole seconds, and it follows on what was done before.
  const newest = without.facts.acts.at(-1)?.at ?? 0;
  const at = known?.at ?? Math.max(press.at - (press.at % 1_000), newest);
  const act = known ?? actOf({ kind: "command", at, by, commentId: -seq, command: name, argument });
  const [outcome] = await desk.take([{ command: meant.command, by, at, act }], pull, repository);
  if (outcome?.outcome === "refused") {
    return outcome.reason;
  }
  await keep(act, pull, context);
  return null;
}

async function keep(act: Act, { repositoryId, number }: Pull, { store, now, look }: EffectContext): Promise<void> {
  await changePull(store, { repositoryId, number }, now, (row) => {
    if (row === null) {
      return null;
    }
    const { installationId, repository } = row.facts;
    const facts = record(row.facts, { kind: "acts", pull: { installationId, repository, number }, acts: [act] });
    return { pull: { ...row, facts, lookAt: sooner(row.lookAt, now()) } };
  });
  look();
}
