/**
 * The answer to a comment with commands: a reaction, and a comment where there is something to say. It is an effect of
 * its own, known by the comment's id, so that a comment is answered once however often it is told of.
 */
import { z } from "zod";
import { markerOf } from "../../../src/github/pulls/comments.ts";
import { type Reaction, react } from "../../../src/github/pulls/reactions.ts";
import type { ParsedCommand } from "../../../src/lifecycle/commands.ts";
import type { Act, Actor } from "../../../src/lifecycle/facts/facts.ts";
import { clip, codeSpan, markdown, oneLine } from "../../../src/report/escape.ts";
import { newEffect } from "../../effects/effect.ts";
import { type EffectContext, type EffectHandler, type Performed, placeOf } from "../../effects/handler.ts";
import { notCertain, type PutComment, putComment } from "../../effects/handlers/comment.ts";
import { parsed } from "../../store/documents.ts";
import type { NewEffect, PullId } from "../../store/model.ts";
import type { CommandExecutor, CommandOutcome, GivenCommand } from "../execute.ts";
import { holdProgressEffect, noneClosed, sayProgress } from "./hold-progress.ts";
import { mayAnswer } from "./limit.ts";

const LONGEST_REASON = 1_000;
const LONGEST_COMMAND = 60;

export interface Comment {
  readonly id: string;
  readonly at: number;
  readonly by: Actor;
  readonly edited: boolean;
}

export interface CommandSeen {
  readonly command: ParsedCommand;
  readonly act: Act | null;
}

/**
 * What became of the commands, kept before it is said: carried out again when saying it has failed, they would find
 * that there is nothing to do, and that would be a second answer.
 */
const decided: z.ZodType<{ readonly outcomes: readonly CommandOutcome[] }> = z.object({
  outcomes: z.array(
    z.discriminatedUnion("outcome", [
      z.object({
        outcome: z.enum(["done", "seen"]),
        text: z.string().nullable(),
        closing: z
          .object({
            hold: z.enum(["pull", "repository"]),
            at: z.number(),
            gates: z.array(z.tuple([z.number(), z.number()])),
          })
          .exactOptional(),
      }),
      z.object({ outcome: z.literal("refused"), reason: z.string() }),
    ]),
  ),
});

/** What answers a comment. An edited comment is answered once more, and no more after that. */
export function answerTo(
  pull: PullId,
  installationId: number,
  comment: Comment,
  commands: readonly CommandSeen[],
  now: number,
): NewEffect {
  const { id: commentId, at, by, edited } = comment;
  const given = commands.map(({ command, act }) => ({ command, act: act === null ? null : JSON.stringify(act) }));
  const about = { installationId, occasion: { of: "comment", commentId, edited }, at: now } as const;
  return newEffect("answer", pull, about, { commentId, at, by, edited, given });
}

export function answerHandler(executor: CommandExecutor): EffectHandler<"answer"> {
  return async ({ commentId, at, by, edited, given }, context): Promise<Performed> => {
    const { pull, repository, write, signal, effect, store, now } = context;
    const unsure = notCertain(context);
    if (unsure !== null) {
      return { state: "again", at: unsure, reason: "whether it was answered already is not certain yet" };
    }
    if (pull === null) {
      return { state: "dropped", reason: "the pull request is not known any more" };
    }
    const commands = given.map(
      ({ command, act }): GivenCommand => ({ command, by, at, act: act === null ? null : parsed<Act>(act) }),
    );
    const [{ outcomes }, after] = await decidedOnce(context, decided, async () => ({
      outcomes: edited
        ? commands.map((): CommandOutcome => ({ outcome: "refused", reason: EDITED }))
        : await executor.execute(commands, pull, repository),
    }));
    const place = placeOf(context);
    const there = await write((client) => react(client, place, commentId, reactionTo(outcomes), signal));
    const note = `${by.login} asked for ${commands.map((each, index) => sayOutcome(each, outcomes[index])).join("; ")}`;
    const line = { kind: "note", actor: by } as const;
    if (!there) {
      return { state: "done", note: `${note} (the comment is gone)`, line };
    }
    const said = textOf(commands, outcomes, edited);
    if (said === null) {
      return { state: "done", note, line };
    }
    const closing = outcomes.flatMap((each) => (each.outcome === "refused" ? [] : (each.closing ?? []))).at(-1);
    const counted = closing === undefined ? "" : `\n\n${sayProgress(noneClosed(closing))}`;
    const result = await say(after, effect.key, `${said}${counted}`);
    if (closing !== undefined && result !== null) {
      const answer = { key: effect.key, marker: result.marker, said };
      await store.commit({
        effects: [holdProgressEffect(pull, effect.installationId, answer, closing, now())],
        now: now(),
      });
    }
    return { state: "done", result, note, line };
  };
}

const EDITED = "an edited comment gives no commands: write it in a new one";

/**
 * Decides, and keeps what was decided for whatever tries follow; then the same is returned as at first. With the context
 * for what comes next: what that remembers stands beside what is kept.
 */
export async function decidedOnce<T extends object>(
  context: EffectContext,
  schema: z.ZodType<T>,
  decide: () => Promise<T>,
): Promise<readonly [decided: T, after: EffectContext]> {
  const kept = schema.safeParse(context.effect.result).data;
  const decision = kept ?? (await decide());
  if (kept === undefined) {
    await context.keep(decision);
  }
  return [decision, { ...context, remember: (result) => context.remember({ ...result, ...decision }) }];
}

/** In a comment of its own, unless there are too many of them already: then the reaction has to do. */
export async function say(context: EffectContext, marker: string, body: string): Promise<PutComment | null> {
  if (!(await mayAnswer(context))) {
    return null;
  }
  return await putComment(context, markerOf(marker), body, true);
}

function reactionTo(outcomes: readonly CommandOutcome[]): Reaction {
  if (outcomes.some(({ outcome }) => outcome === "refused")) {
    return "confused";
  }
  return outcomes.some(({ outcome }) => outcome === "done") ? "+1" : "eyes";
}

/** Null: there is nothing to say. */
function textOf(
  commands: readonly GivenCommand[],
  outcomes: readonly CommandOutcome[],
  edited: boolean,
): string | null {
  if (edited) {
    return `${markdown(sentence(EDITED))}`;
  }
  const parts = outcomes.flatMap((outcome, index) => {
    const written = codeSpan(writtenOf(commands[index]?.command));
    if (outcome.outcome === "refused") {
      return [`${written}: ${markdown(clip(outcome.reason, LONGEST_REASON))}. \`/stage help\` lists the commands.`];
    }
    return outcome.text === null ? [] : [commands.length === 1 ? outcome.text : `${written}:\n\n${outcome.text}`];
  });
  return parts.length === 0 ? null : parts.join("\n\n");
}

/** For the history: plain text, one line. */
export function sayOutcome({ command }: GivenCommand, outcome: CommandOutcome | undefined): string {
  const how = outcome?.outcome === "refused" ? `refused, ${outcome.reason}` : "done";
  return oneLine(`“${writtenOf(command)}”: ${how}`);
}

function writtenOf(command: ParsedCommand | undefined): string {
  switch (command?.kind) {
    case undefined:
      return "";
    case "stage":
    case "run":
      return clip(oneLine(`/stage ${command.name} ${command.argument}`), LONGEST_COMMAND);
    case "repository":
      return clip(oneLine(`/stage ${command.name} --repository ${command.argument}`), LONGEST_COMMAND);
    case "policy":
      return clip(oneLine(`/${command.name} ${command.argument}`), LONGEST_COMMAND);
    case "unknown":
      return clip(oneLine(`/stage ${command.word}`), LONGEST_COMMAND);
    case "surplus": {
      const written = clip(oneLine(command.written), LONGEST_COMMAND);
      return command.more === 0 ? written : `${written} (and ${command.more} more)`;
    }
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
