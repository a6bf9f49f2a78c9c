/** Commands in comments: how they are written and who may give them, from one table. */

import { suggestion } from "../plan/parsing/problems.ts";
import { oneLine } from "../report/escape.ts";
import {
  COMMAND_NAMES,
  COMMAND_WORD,
  type CommandName,
  isOurs,
  isRunCommand,
  type PullCommandName,
  type RunCommandName,
} from "./command-names.ts";
import { leavesOf } from "./conditions/index.ts";
import type { Evaluation } from "./evaluation/evaluation.ts";
import { authorityOf, mayMaintain, orList, whoMay } from "./evaluation/permissions.ts";
import type { Actor, Lookup, Permissions } from "./facts/facts.ts";
import { proseLines } from "./facts/prose.ts";
import { type Leaf, type Policy, policyStage } from "./policy/policy.ts";
import { sayInactive } from "./presentation/inactive.ts";

export interface CommandDefinition {
  readonly usage: string;
  readonly help: string;
  /**
   * Anyone; those with write permission and the operators (`to` asks more for a way forward); or whom the run's plan
   * names, else those with write permission.
   */
  readonly by: "anyone" | "writers" | "approvers";
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
  retry: {
    usage: "/stage retry",
    help: "Try again what was blocked or could not be done, and put stage labels right again.",
    by: "writers",
    isAct: true,
  },
  hold: {
    usage: "/stage hold [--repository] [reason]",
    help: "Move it no further until /stage unhold. With `--repository` (operators and maintainers only): none of the repository's pull requests.",
    by: "writers",
    isAct: true,
  },
  unhold: {
    usage: "/stage unhold [--repository]",
    help: "Let it (with `--repository`: all of them) move again.",
    by: "writers",
    isAct: true,
  },
  continue: {
    usage: "/stage continue [--run <name>] [reason]",
    help: "Let a run of this pull request go on that waits for a person at a checkpoint of its plan.",
    by: "approvers",
    isAct: false,
  },
  stop: {
    usage: "/stage stop [--run <name>] [reason]",
    help: "End a run of this pull request that waits for a person.",
    by: "approvers",
    isAct: false,
  },
  help: { usage: "/stage help", help: "List these commands.", by: "anyone", isAct: false },
};

/** About a run that waits for a person. */
export interface RunCommand {
  readonly kind: "run";
  readonly name: RunCommandName;
  readonly argument: string;
}

export type ParsedCommand =
  | { readonly kind: "stage"; readonly name: PullCommandName; readonly argument: string }
  | RunCommand
  /** For all pull requests of the repository: `hold --repository`, `unhold --repository`. */
  | { readonly kind: "repository"; readonly name: "hold" | "unhold"; readonly argument: string }
  /** Any other word: a `command` condition of the policy may wait for it. */
  | { readonly kind: "policy"; readonly name: string; readonly argument: string }
  /** `/stage` with a word that is no command; `suggestion` reads `; did you mean "back"?` or is empty. */
  | { readonly kind: "unknown"; readonly word: string; readonly suggestion: string }
  /** Those that are too many for one comment: the first as it was written, and how many come after it. */
  | { readonly kind: "surplus"; readonly written: string; readonly more: number };

const MOST_COMMANDS = 5;
/** Many are written for other bots, and what a comment says must not depend on whether the policy knows the word. */
const MOST_WORDS = 20;
const LONGEST_ARGUMENT = 200;
const LONGEST_BODY = 65_536;

/** What a comment asks for, whatever the policy says. */
export interface CommentCommands {
  /** Those that count, in order. */
  readonly commands: readonly ParsedCommand[];
  /** Those that are too many for one comment. */
  readonly surplus: readonly { readonly command: ParsedCommand; readonly line: string }[];
}

/** The commands of a comment: lines that begin with a slash. Quoted lines, code blocks and hidden comments hold none. */
export function readCommands(body: string): CommentCommands {
  const commands: ParsedCommand[] = [];
  const surplus: { command: ParsedCommand; line: string }[] = [];
  const left = { policy: MOST_WORDS, own: MOST_COMMANDS };
  for (const line of proseLines(body.slice(0, LONGEST_BODY))) {
    const command = parseLine(line);
    if (command === null) {
      continue;
    }
    const kind = command.kind === "policy" ? "policy" : "own";
    left[kind] -= 1;
    if (left[kind] >= 0) {
      commands.push(command);
    } else {
      surplus.push({ command, line });
    }
  }
  return { commands, surplus };
}

/**
 * What of a comment is answered: `/stage` commands and those for which the policy waits; other words are for other bots.
 * Those that are too many are one entry, `surplus`, so that they are answered, too.
 */
export function commandsToAnswer({ commands, surplus }: CommentCommands, policy: Policy): ParsedCommand[] {
  const names = new Set(policyCommands(policy));
  const concerns = (command: ParsedCommand): boolean => command.kind !== "policy" || names.has(command.name);
  const [first, ...more] = surplus.filter(({ command }) => concerns(command));
  const found = commands.filter(concerns);
  return first === undefined
    ? found
    : [...found, { kind: "surplus", written: oneLine(first.line.slice(0, LONGEST_ARGUMENT)), more: more.length }];
}

function parseLine(line: string): ParsedCommand | null {
  const [head = "", ...words] = oneLine(line.slice(0, 2 * LONGEST_ARGUMENT)).split(" ");
  if (!head.startsWith("/")) {
    return null;
  }
  const argumentOf = (rest: readonly string[]): string => rest.join(" ").slice(0, LONGEST_ARGUMENT);
  const name = head.slice(1).toLowerCase();
  if (name !== "stage") {
    return COMMAND_WORD.test(name) ? { kind: "policy", name, argument: argumentOf(words) } : null;
  }
  const word = (words[0] ?? "help").toLowerCase();
  if (isRunCommand(word)) {
    return { kind: "run", name: word, argument: argumentOf(words.slice(1)) };
  }
  if (!isOurs(word)) {
    return { kind: "unknown", word: word.slice(0, 40), suggestion: suggestion(word, COMMAND_NAMES) };
  }
  const [option = "", ...rest] = words.slice(1);
  // Phones make one long dash of two.
  const long = option.replace(/^—/u, "--").toLowerCase();
  if ((word !== "hold" && word !== "unhold") || !long.startsWith("--")) {
    return { kind: "stage", name: word, argument: argumentOf(words.slice(1)) };
  }
  return long === REPOSITORY_OPTION
    ? { kind: "repository", name: word, argument: argumentOf(rest) }
    : {
        kind: "unknown",
        word: `${word} ${long}`.slice(0, 40),
        suggestion: `; the only option is ${REPOSITORY_OPTION}`,
      };
}

/** What tells a hold of the whole repository from one of the pull request. */
const REPOSITORY_OPTION = "--repository";

/** Names of the commands for which the policy's conditions wait. */
export function policyCommands(policy: Policy): string[] {
  return [...new Set(commandLeaves(policy).map(({ leaf }) => leaf.name))];
}

/** `owner`: of the stage whose `back` rule asks for it, who may give it where the rule names nobody. */
function commandLeaves(policy: Policy): { readonly leaf: Leaf<"command">; readonly owner: string | null }[] {
  return policy.stages.flatMap((stage) =>
    [stage.enter, stage.when, stage.back?.when ?? null].flatMap((condition) =>
      condition === null
        ? []
        : leavesOf(condition).flatMap((leaf) =>
            leaf.kind === "command" ? [{ leaf, owner: condition === stage.back?.when ? stage.owner : null }] : [],
          ),
    ),
  );
}

export type CommandDecision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: string; readonly lookups: readonly Lookup[] };

export interface CommandInput {
  readonly command: ParsedCommand;
  readonly actor: Actor;
  readonly evaluation: Evaluation;
  readonly policy: Policy;
  readonly permissions: Permissions;
}

/**
 * Whether this person may give this command now, and if not, why not. Lookups: ask again when they are known. Who may
 * decide about a run is for that run to say.
 */
export function decideCommand(input: CommandInput): CommandDecision {
  const { command } = input;
  switch (command.kind) {
    case "unknown":
      return refuse(`there is no command "${command.word}"${command.suggestion}`);
    case "surplus":
      return refuse(
        "only the first five /stage commands and the first twenty others of a comment count: write it in a new one",
      );
    case "policy":
      return decidePolicyCommand(command.name, input);
    case "repository":
      return decideForRepository(input);
    case "run":
      return { allowed: true };
    case "stage":
      return COMMANDS[command.name].by === "anyone" ? { allowed: true } : decideForPull(command, input);
  }
}

/** As the condition that waits for it will evaluate it. */
function decidePolicyCommand(name: string, { actor, policy, permissions }: CommandInput): CommandDecision {
  const authorities = commandLeaves(policy)
    .filter(({ leaf }) => leaf.name === name)
    .flatMap(({ leaf, owner }) => [
      authorityOf(actor, leaf.by, permissions),
      ...(leaf.by === null && owner !== null ? [authorityOf(actor, [owner], permissions)] : []),
    ]);
  const [first] = authorities;
  return first === undefined || authorities.some(({ truth }) => truth === "yes")
    ? { allowed: true }
    : refuse(
        `${actor.login} ${first.reason}`,
        authorities.flatMap(({ lookups }) => lookups),
      );
}

function decideForRepository({ actor, policy, permissions }: CommandInput): CommandDecision {
  const operator = authorityOf(actor, policy.operators, permissions);
  const maintainer = mayMaintain(actor, permissions);
  return operator.truth === "yes" || maintainer.truth === "yes"
    ? { allowed: true }
    : refuse(`${actor.login} ${maintainer.reason}; ${whoOperates(policy)}`, [
        ...operator.lookups,
        ...maintainer.lookups,
      ]);
}

type StageCommand = Extract<ParsedCommand, { kind: "stage" }>;

function decideForPull(command: StageCommand, input: CommandInput): CommandDecision {
  const { actor, evaluation, policy, permissions } = input;
  const operator = authorityOf(actor, policy.operators, permissions);
  const writer = authorityOf(actor, null, permissions);
  const owner = command.name === "back" ? ownerHere(evaluation, policy) : null;
  const owning = owner === null ? null : authorityOf(actor, [owner], permissions);
  const lookups = [...operator.lookups, ...writer.lookups, ...(owning?.lookups ?? [])];
  const may = operator.truth === "yes" || writer.truth === "yes" || owning?.truth === "yes";
  if (!may) {
    return refuse(`${actor.login} ${writer.reason}`, lookups);
  }
  switch (command.name) {
    case "back":
      return decideBack(evaluation);
    case "to":
      return decideTo(command.argument, operator.truth === "yes", operator.lookups, input);
    case "unhold":
      return decideUnhold(evaluation);
    default:
      return { allowed: true };
  }
}

function decideBack(evaluation: Evaluation): CommandDecision {
  const names = evaluation.stages.map((stage) => stage.name);
  if (evaluation.stage === null) {
    return refuse(`it is in no stage: ${sayInactive(evaluation)}`);
  }
  return names.indexOf(evaluation.stage) < 1 ? refuse(`${evaluation.stage} is its first stage`) : { allowed: true };
}

function decideUnhold({ held }: Evaluation): CommandDecision {
  if (held === null) {
    return refuse("it is not on hold");
  }
  return held.why === "repository"
    ? refuse("the whole repository is on hold, not this pull request alone: /stage unhold --repository")
    : { allowed: true };
}

function decideTo(
  target: string,
  isOperator: boolean,
  lookups: readonly Lookup[],
  { actor, evaluation, policy }: CommandInput,
): CommandDecision {
  const names = evaluation.stages.map((stage) => stage.name);
  const index = names.indexOf(target);
  if (index < 0) {
    return refuse(`there is no stage "${target}" here: expected ${orList(names)}${suggestion(target, names)}`);
  }
  if (evaluation.inactive === "closed" || evaluation.inactive === "opted_out" || evaluation.inactive === "unknown") {
    return refuse(`it is in no stage: ${sayInactive(evaluation)}`);
  }
  const here = evaluation.stages.findLastIndex((stage) => stage.reached);
  if (index === here) {
    return refuse(`it is in ${target} already`);
  }
  return index < here || isOperator
    ? { allowed: true }
    : refuse(`${actor.login} may not move it past conditions that do not hold: ${whoOperates(policy)}`, lookups);
}

function whoOperates({ operators }: Policy): string {
  return operators.length === 0 ? "the policy names no operators" : `${whoMay(operators)} may`;
}

function ownerHere(evaluation: Evaluation, policy: Policy): string | null {
  return policyStage(policy, evaluation.stage)?.owner ?? null;
}

function refuse(reason: string, lookups: readonly Lookup[] = []): CommandDecision {
  return { allowed: false, reason, lookups };
}
