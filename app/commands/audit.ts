/** What the audit says of a command that was decided. */
import type { Logger } from "pino";
import type { ParsedCommand } from "../../src/lifecycle/commands.ts";
import type { Actor } from "../../src/lifecycle/facts/facts.ts";
import { type AuditEvent, audit } from "../audit/audit.ts";
import type { EvaluatedPull } from "../evaluation/evaluator.ts";
import type { Pull, Repository } from "../store/model.ts";

export interface DecidedCommand {
  readonly command: ParsedCommand;
  readonly by: Actor;
  readonly refused: boolean;
  /** As things stood without it. */
  readonly before: EvaluatedPull;
  readonly pull: Pull;
  readonly repository: Repository;
}

const REPOSITORY = { hold: "repository.held", unhold: "repository.released" } as const;

export function auditCommand(log: Logger, { command, by, refused, before, pull, repository }: DecidedCommand): void {
  const about = { repository: `${repository.owner}/${repository.name}`, pull: pull.number, by };
  if (command.kind !== "stage" && command.kind !== "repository") {
    return;
  }
  if (refused) {
    audit(log, "command.refused", { ...about, command: command.name });
    return;
  }
  if (command.kind === "repository") {
    audit(log, REPOSITORY[command.name], about);
    return;
  }
  switch (command.name) {
    case "hold":
      audit(log, "pull.held", about);
      break;
    case "unhold":
      audit(log, "pull.released", about);
      break;
    case "retry":
      audit(log, "pull.retried", about);
      break;
    case "to":
    case "back": {
      const { event, ...move } = moveOf(command.name, command.argument, before);
      audit(log, event, { ...about, ...move });
      break;
    }
    case "status":
    case "help":
      break;
    default:
      command satisfies never;
  }
}

/** Stages are named only if there are such: what somebody wrote in their place is not told. */
function moveOf(
  command: "to" | "back",
  argument: string,
  { evaluation: { stages, stage: from } }: EvaluatedPull,
): { readonly event: AuditEvent; readonly from: string | null; readonly to: string | null } {
  const here = stages.findIndex(({ name }) => name === from);
  const there = command === "back" ? here - 1 : stages.findIndex(({ name }) => name === argument.trim());
  const to = stages[there]?.name ?? null;
  return { event: there > here ? "pull.overridden" : "pull.sent_back", from, to };
}
