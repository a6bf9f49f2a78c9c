/**
 * What there is to be done on GitHub besides labels and checks: its kinds, what each says, and the keys by which each
 * is done once. A new kind is a line in `PAYLOADS`, one in `Occasion` where it follows from something new, and a
 * handler in the table of `EffectHandlers`, without which nothing compiles.
 */
import { z } from "zod";
import { githubId } from "../../src/github/id.ts";
import { PULL_COMMANDS, RUN_COMMANDS } from "../../src/lifecycle/command-names.ts";
import type { StageActions } from "../../src/lifecycle/evaluation/transition-actions.ts";
import { stageOfLabel } from "../../src/lifecycle/presentation/display.ts";
import type { Effect, NewEffect, PullId } from "../store/model.ts";

const text = z.string();
const some = text.min(1);
const texts = z.record(text, text);
const actor = z.object({ kind: z.enum(["user", "bot"]), id: z.number(), login: text });
const otherLabels = z.array(text.refine((name) => stageOfLabel(name) === null, "stage labels are no action's to set"));
const given = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("stage"), name: z.enum(PULL_COMMANDS), argument: text }),
  z.object({ kind: z.literal("run"), name: z.enum(RUN_COMMANDS), argument: text }),
  z.object({ kind: z.literal("repository"), name: z.enum(["hold", "unhold"]), argument: text }),
  z.object({ kind: z.literal("policy"), name: text, argument: text }),
  z.object({ kind: z.literal("unknown"), word: text, suggestion: text }),
  z.object({ kind: z.literal("surplus"), written: text, more: z.number() }),
]);

/** What each kind says, as it is stored. A field that is added has a default, for those that were stored before. */
export const PAYLOADS = {
  assign: z.object({ users: z.array(some).min(1) }),
  /** Merges this commit and no other. */
  auto_merge: z.object({ method: z.enum(["merge", "squash", "rebase", "queue"]), sha: text }),
  comment: z.object({ marker: some, body: some }),
  disable_auto_merge: z.object({ stage: text }),
  label: z.object({ add: otherLabels, remove: otherLabels }),
  note: z.object({ text }),
  refused: z.object({ action: text, reason: text }),
  release: z.object({ environment: some, sha: some }),
  repository_dispatch: z.object({ key: some, eventType: some, payload: texts }),
  request_review: z.object({ users: z.array(text), teams: z.array(text) }),
  start: z.object({
    key: some,
    workflow: some,
    inputs: texts,
    sha: some,
    limit: z.number().int().positive().nullable(),
  }),
  answer: z.object({
    commentId: githubId,
    at: z.number(),
    by: actor,
    /** The comment was edited into saying this, which gives no commands. */
    edited: z.boolean(),
    given: z.array(z.object({ command: given, act: text.nullable() })),
  }),
  button: z.object({
    /** Of the button, as the event names it: it may be anything. */
    identifier: text,
    /** Name of the check run. */
    check: text,
    /** The run that the check run is of; null: it is none of a plan's run. */
    run: text.nullable().default(null),
    by: actor,
    at: z.number(),
    /** Of the delivery that told of it: grows, and is the press's own. */
    seq: z.number(),
    /** Of that delivery: GitHub's name of it, and what it says. Those stored before had none. */
    delivery: z.object({ id: text, content: text }).nullable().default(null),
  }),
  hold_progress: z.object({
    /** Hidden in the answer's comment, which says `said` above the line. */
    marker: text,
    said: text,
    hold: z.enum(["pull", "repository"]),
    at: z.number(),
    gates: z.array(z.tuple([z.number(), z.number()])),
    since: z.number(),
  }),
  proposed_policy: z.object({ sha: some }),
  merge_group: z.object({ headSha: text, branch: text, at: z.number() }),
  dequeued: z.object({ reason: text, by: text, at: z.number() }),
  tampering: z.discriminatedUnion("what", [
    z.object({ what: z.enum(["set", "removed"]), by: actor, label: text, act: text }),
    z.object({ what: z.literal("stopped"), by: actor, until: z.number() }),
  ]),
  failure_report: z.object({}),
} as const satisfies Readonly<Record<string, z.ZodType<object>>>;

export type EffectKind = keyof typeof PAYLOADS;
export type EffectPayload<K extends EffectKind> = z.output<(typeof PAYLOADS)[K]>;

/** What an effect follows from: it is done once for each. */
export type EffectOccasion =
  /** A stage's action; `which` time: the date of the entry, or the move. */
  | {
      readonly of: "stage";
      readonly stage: string;
      readonly occasion: StageActions["occasion"];
      readonly which: number | string;
      readonly index: number;
      readonly kind: EffectKind;
    }
  | { readonly of: "comment"; readonly commentId: string; readonly edited: boolean }
  | { readonly of: "button"; readonly deliveryId: string }
  /** The answer to a command that put something on hold. */
  | { readonly of: "hold answered"; readonly answer: string }
  /** `removed`: the file is gone there. */
  | { readonly of: "policy file"; readonly head: string; readonly oid: string | null }
  | { readonly of: "merge group"; readonly headSha: string }
  /** `content`: what GitHub said of it; said again it is the same. */
  | { readonly of: "dequeued"; readonly content: string }
  | { readonly of: "label changed"; readonly act: string }
  | { readonly of: "corrections stopped"; readonly at: number }
  | { readonly of: "label unclear"; readonly label: string; readonly at: number }
  /** How another effect ended. */
  | { readonly of: "effect ended"; readonly id: number; readonly at: number };

/** Keys are made here and nowhere else: one that is made otherwise one day is done once more. */
export function effectKey({ repositoryId, number }: PullId, occasion: EffectOccasion): string {
  const pull = `${repositoryId}-${number}`;
  switch (occasion.of) {
    case "stage":
      return `${pull}-${occasion.stage}-${occasion.occasion}-${occasion.which}-${occasion.index}-${occasion.kind}`;
    case "comment":
      return `${pull}-answer-${occasion.commentId}${occasion.edited ? "-edited" : ""}`;
    case "button":
      return `${pull}-button-${occasion.deliveryId}`;
    case "hold answered":
      return `${occasion.answer}-hold_progress`;
    case "policy file":
      return `${pull}-proposed_policy-${occasion.head}-${occasion.oid ?? "removed"}`;
    case "merge group":
      return `${repositoryId}-merge-group-${occasion.headSha}`;
    case "dequeued":
      return `${pull}-dequeued-${occasion.content}`;
    case "label changed":
      return `${pull}-tampering-${occasion.act}`;
    case "corrections stopped":
      return `${pull}-tampering-stop@${occasion.at}`;
    case "label unclear":
      return `${pull}-unclear-${occasion.label.toLowerCase()}-${occasion.at}`;
    case "effect ended":
      return `${pull}-failure_report-${occasion.id}-${occasion.at}`;
  }
}

/** `at`: not before then. */
export function newEffect<K extends EffectKind>(
  kind: K,
  pull: PullId,
  {
    installationId,
    occasion,
    at,
  }: { readonly installationId: number; readonly occasion: EffectOccasion; readonly at: number },
  payload: z.input<(typeof PAYLOADS)[K]> & object,
): NewEffect {
  const { repositoryId, number } = pull;
  return { repositoryId, number, installationId, key: effectKey(pull, occasion), kind, payload, nextAt: at };
}

/** Null: a later version's, which is left to that one. */
export function knownKind(kind: string): EffectKind | null {
  return isKnown(kind) ? kind : null;
}

function isKnown(kind: string): kind is EffectKind {
  return Object.hasOwn(PAYLOADS, kind);
}

/** Which of a stage's occasions an effect follows from. */
export interface Cause {
  readonly stage: string;
  readonly occasion: StageActions["occasion"];
  /** Date of the entry, of the reset that led back, of the deadline, or of the hold. */
  readonly at: number;
}

const withCause = z.object({
  cause: z.object({
    stage: text,
    occasion: z.enum(["enter", "back", "overdue", "hold", "unhold"]),
    at: z.number(),
  }),
});

/**
 * What converges may be done again, and has to be: a check that fails and succeeds again leads back and forth without
 * a new act, so that the entry is the same.
 */
const PER_MOVE: ReadonlySet<EffectKind> = new Set(["auto_merge", "disable_auto_merge", "label"]);

/** Each once for this occasion, or this `move`, whatever happens to us meanwhile. */
export function effectRows(
  pull: PullId,
  installationId: number,
  actions: readonly StageActions[],
  now: number,
  move: string | null = null,
): NewEffect[] {
  const { repositoryId, number } = pull;
  return actions.flatMap(({ stage, occasion, at, effects }) =>
    effects.map(({ kind, ...payload }, index) => {
      const which = move !== null && PER_MOVE.has(kind) ? move : at;
      const cause: Cause = { stage, occasion, at };
      const key = effectKey(pull, { of: "stage", stage, occasion, which, index, kind });
      return { repositoryId, number, installationId, key, kind, payload: { ...payload, cause }, nextAt: now };
    }),
  );
}

/** Null: it follows from no stage (a command's answer, a failure report). */
export function causeOf({ payload }: Pick<Effect, "payload">): Cause | null {
  const read = withCause.safeParse(payload);
  return read.success ? read.data.cause : null;
}
