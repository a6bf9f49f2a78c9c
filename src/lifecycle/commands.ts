/** Commands in comments: how they are written, who may give them, and their help, all from one table. */

import { suggestion } from "../plan/problems.ts";
import { oneLine } from "../report/escape.ts";
import { leavesOf } from "./conditions/index.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Actor, Lookup, Standing } from "./facts.ts";
import type { Policy } from "./policy.ts";
import { authorityOf, list, whoMay } from "./standing.ts";

export const COMMAND_NAMES = ["status", "to", "back", "retry", "hold", "unhold", "help"] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

interface CommandDefinition {
  readonly usage: string;
  readonly help: string;
  /** Anyone, or those with write permission and the operators; `to` asks more for a way forward. */
  readonly by: "anyone" | "writers";
  /** Kept with the pull request's acts, because where it is depends on it. */
  readonly isAct: boolean;
}

export const COMMANDS: Readonly<Record<CommandName, CommandDefinition>> = {
  status: { usage: "/stage status", help: "Say where it is and what is missing.", by: "anyone", isAct: false },
  to: {
    usage: "/stage to <name>",
    help: "Move it to this stage: back, or (operators only) forward past conditions that do not hold.",
    by: "writers",
    isAct: true,
  },
  back: {
    usage: "/stage back",
    help: "Move it back by one stage. The owner of the stage may do so, too.",
    by: "writers",
    isAct: true,
  },
  retry: { usage: "/stage retry", help: "Try again what was blocked.", by: "writers", isAct: false },
  hold: { usage: "/stage hold [reason]", help: "Move it no further until /stage unhold.", by: "writers", isAct: true },
  unhold: { usage: "/stage unhold", help: "Let it move again.", by: "writers", isAct: true },
  help: { usage: "/stage help", help: "List these commands.", by: "anyone", isAct: false },
};

export type ParsedCommand =
  | { readonly kind: "stage"; readonly name: CommandName; readonly argument: string }
  /** One that a `command` condition of the policy waits for. */
  | { readonly kind: "policy"; readonly name: string; readonly argument: string }
  /** `/stage` with a word that is no command; `suggestion` reads `; did you mean "back"?` or is empty. */
  | { readonly kind: "unknown"; readonly word: string; readonly suggestion: string };

const MOST_COMMANDS = 5;
const LONGEST_ARGUMENT = 200;
const LONGEST_BODY = 65_536;

/**
 * The commands of a comment, in order, at most five: lines that begin with a slash. Quoted lines, code blocks and
 * hidden comments hold none.
 */
export function parseCommands(body: string, policy: Policy): ParsedCommand[] {
  const names = new Set(policyCommands(policy));
  const found: ParsedCommand[] = [];
  let fence: string | null = null;
  for (const line of body
    .slice(0, LONGEST_BODY)
    .replace(/<!--[\s\S]*?(?:-->|$)/g, "")
    .split(/\r?\n/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== null) {
      fence = mark?.startsWith(fence) === true ? null : fence;
      continue;
    }
    if (mark !== undefined) {
      fence = mark;
      continue;
    }
    const command = parseLine(line, names);
    if (command !== null && found.length < MOST_COMMANDS) {
      found.push(command);
    }
  }
  return found;
}

function parseLine(line: string, policyNames: ReadonlySet<string>): ParsedCommand | null {
  const [head = "", ...words] = oneLine(line.slice(0, 2 * LONGEST_ARGUMENT)).split(" ");
  // Four spaces or a tab make a code block.
  if (!head.startsWith("/") || /^(?: {4}|\t)/.test(line)) {
    return null;
  }
  const argumentOf = (rest: readonly string[]): string => rest.join(" ").slice(0, LONGEST_ARGUMENT);
  const name = head.slice(1).toLowerCase();
  if (name !== "stage") {
    return policyNames.has(name) ? { kind: "policy", name, argument: argumentOf(words) } : null;
  }
  const word = (words[0] ?? "help").toLowerCase();
  const known = COMMAND_NAMES.find((each) => each === word);
  return known === undefined
    ? { kind: "unknown", word: word.slice(0, 40), suggestion: suggestion(word, COMMAND_NAMES) }
    : { kind: "stage", name: known, argument: argumentOf(words.slice(1)) };
}

/** Names of the commands for which the policy's conditions wait. */
export function policyCommands(policy: Policy): string[] {
  const conditions = policy.stages.flatMap((stage) => [stage.enter, stage.when, stage.back?.when ?? null]);
  return [
    ...new Set(
      conditions
        .flatMap((condition) => (condition === null ? [] : leavesOf(condition)))
        .flatMap((leaf) => (leaf.kind === "command" ? [leaf.name] : [])),
    ),
  ];
}

export type CommandDecision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: string; readonly lookups: readonly Lookup[] };

export interface CommandInput {
  readonly command: ParsedCommand;
  readonly actor: Actor;
  readonly evaluation: Evaluation;
  readonly policy: Policy;
  readonly standing: Standing;
}

/** Whether this person may give this command now, and if not, why not. Lookups: ask again when they are known. */
export function decideCommand({ command, actor, evaluation, policy, standing }: CommandInput): CommandDecision {
  if (command.kind === "unknown") {
    return refuse(`there is no command "${command.word}"${command.suggestion}`);
  }
  if (command.kind === "policy") {
    // The condition that waits for it judges who gave it.
    return { allowed: true };
  }
  if (COMMANDS[command.name].by === "anyone") {
    return { allowed: true };
  }
  const operator = authorityOf(actor, policy.operators, standing);
  if (operator.truth === "yes" && command.name !== "to") {
    return { allowed: true };
  }
  const writer = authorityOf(actor, null, standing);
  const lookups = [...operator.lookups, ...writer.lookups];
  const owner = command.name === "back" ? ownerHere(evaluation, policy) : null;
  const owns = owner !== null && authorityOf(actor, [owner], standing).truth === "yes";
  const may = operator.truth === "yes" || writer.truth === "yes" || owns;
  if (command.name !== "to") {
    return may ? { allowed: true } : refuse(`${actor.login} ${writer.reason}`, lookups);
  }
  const names = evaluation.stages.map((stage) => stage.name);
  const target = names.indexOf(command.argument);
  if (target < 0) {
    return refuse(`there is no stage "${command.argument}" here: expected ${list(names)}`);
  }
  const here = evaluation.stages.findLastIndex((stage) => stage.reached);
  if (target === here) {
    return refuse(`it is in ${command.argument} already`);
  }
  if (target > here && operator.truth !== "yes") {
    const who = policy.operators.length === 0 ? "the policy names no `operators`" : `${whoMay(policy.operators)} may`;
    return refuse(`${actor.login} may not move it past conditions that do not hold: ${who}`, operator.lookups);
  }
  return may ? { allowed: true } : refuse(`${actor.login} ${writer.reason}`, lookups);
}

function ownerHere(evaluation: Evaluation, policy: Policy): string | null {
  return policy.stages.find((stage) => stage.name === evaluation.stage)?.owner ?? null;
}

function refuse(reason: string, lookups: readonly Lookup[] = []): CommandDecision {
  return { allowed: false, reason, lookups };
}

/** The table of all commands, in Markdown. */
export function helpText(policy: Policy): string {
  const rows = COMMAND_NAMES.map((name) => {
    const { usage, help, by } = COMMANDS[name];
    return `| \`${usage}\` | ${help} | ${by === "anyone" ? "anyone" : "write permission, operators"} |`;
  });
  const own = policyCommands(policy).map(
    (name) => `| \`/${name}\` | Asked for by this repository's policy. | as the policy says |`,
  );
  return ["| Command | | Who |", "|---|---|---|", ...rows, ...own].join("\n");
}
