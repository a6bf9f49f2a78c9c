/**
 * Who did what, for whoever keeps the app's log: one line for each deed, with a stable name as `audit`. The log is a
 * copy; a pull request's history in the database is the record. Lines hold names, ids and numbers, never what people
 * wrote: why something was done is found by its evidence.
 */
import type { Logger } from "pino";
import type { Actor } from "../../src/lifecycle/facts/facts.ts";

/** What there is, with what it says. Names are never changed and never used for anything else; more may come. */
export const AUDIT_EVENTS = {
  "pull.moved":
    "GitHub shows it in another stage: `from`, `to`, whose act brought it there, and the acts' ids (`evidence`)",
  "pull.blocked": "a move was given up for now: `to`, and why as a code (`reason`)",
  "pull.held": "it was put on hold",
  "pull.released": "it was taken off hold",
  "pull.overridden": "an operator moved it forward past unmet conditions (`/stage to`): `from`, `to`",
  "pull.sent_back": "it was moved back by hand: `from`, `to`",
  "pull.retried": "what was blocked or given up is tried again",
  "pull.taken_up_again": "the operator had a pull request taken up again that the process died of",
  "pulls.adopted": "pull requests were taken up that are older than the app (`stagewright adopt`): how many (`count`)",
  "repository.held": "all pull requests of the repository were put on hold",
  "repository.released": "the hold of the repository was ended",
  "review.given": "a review approved it or requested changes: `state`, the commit (`sha`)",
  "run.approved": "a run that waited for a person goes on: `run`, `stage`, `round`",
  "run.stopped": "a run that waited for a person was ended: `run`, `stage`, `round`",
  "command.refused": "somebody gave a command that they may not give: `command`",
  "button.refused": "somebody pressed a button that they may not press",
  "label.corrected": "a stage label that somebody set or took off by hand was put right",
  "job.let_in": "a job that waited for an environment may begin: `environment`, `run`",
  "job.rejected": "a job that waited for an environment was rejected: `environment`, `run`",
  "policy.in_force": "another policy is in force: the `commit` that it was read at",
  "delivery.retried": "the operator had a webhook handled again that was given up: `delivery`",
  "effect.retried": "the operator had something tried again that was given up on GitHub: `effect`, its id",
} as const satisfies Readonly<Record<string, string>>;
export type AuditEvent = keyof typeof AUDIT_EVENTS;

/** Whose doing: somebody on GitHub (of who showed a token only the login is known); null: of nobody in particular. */
export type AuditActor = Actor | Pick<Actor, "login"> | "operator" | null;

export interface AuditLine {
  readonly repository?: string;
  /** Its number. */
  readonly pull?: number;
  readonly by: AuditActor;
  readonly [detail: string]: unknown;
}

/** Writes the line, at level `info`. */
export function audit(log: Pick<Logger, "info">, event: AuditEvent, { by, ...details }: AuditLine): void {
  const who = by === null || by === "operator" || !("id" in by) ? by : { kind: by.kind, id: by.id, login: by.login };
  log.info({ audit: event, by: who, ...details }, "audit");
}
