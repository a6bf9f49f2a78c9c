/** Executes commands, whether written in a comment or given with a button: decided, then carried out. */
import type { Logger } from "pino";
import { decideCommand, type ParsedCommand } from "../../src/lifecycle/commands.ts";
import type { Act, Actor, Facts } from "../../src/lifecycle/facts/facts.ts";
import { record } from "../../src/lifecycle/facts/record.ts";
import { isOutsider } from "../../src/lifecycle/outsiders.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import type { EvaluatedPull, Evaluator } from "../evaluation/evaluator.ts";
import { closeGates } from "../evaluation/holds/close-gates.ts";
import { reopenGroups } from "../evaluation/merge-groups/reopen.ts";
import type { Clients } from "../github-cache/clients.ts";
import { PolicyUnreadable } from "../policies/policy.ts";
import { changePull } from "../store/change-pull.ts";
import type { HoldWord, Pull, PullId, Repository, Store } from "../store/model.ts";
import { isRefused } from "../store/model.ts";
import type { Wakeups } from "../work/wakeups.ts";
import { auditCommand } from "./audit.ts";
import type { Done, Effects } from "./command.ts";
import { REPOSITORY_COMMANDS, STAGE_COMMANDS } from "./index.ts";
import type { RunDecider } from "./run-decisions.ts";
import { unblocked } from "./unblocked.ts";

export interface CommandExecutorOptions {
  readonly store: Store;
  readonly clients: Pick<Clients, "installation">;
  readonly evaluator: Evaluator;
  readonly runs: RunDecider;
  readonly now: () => number;
  readonly wakeups: Wakeups;
  readonly log: Logger;
}

export interface GivenCommand {
  readonly command: ParsedCommand;
  readonly by: Actor;
  readonly at: number;
  /** The act that it is; null: where the pull request is does not depend on it. */
  readonly act: Act | null;
}

export type CommandOutcome =
  | Done
  /** `reason`: plain text. */
  | { readonly outcome: "refused"; readonly reason: string };

/** Permissions that were asked for may lead to further questions (several names, teams), but not to many. */
const MOST_ROUNDS = 4;

/** Commands that stay in force when who gave them may give them no more. What leads forward is not among them. */
const OUTLASTING: ReadonlySet<string> = new Set(["hold", "unhold", "back"]);

export class CommandExecutor {
  readonly #options: CommandExecutorOptions;

  constructor(options: CommandExecutorOptions) {
    this.#options = options;
  }

  /**
   * Decides on the commands and carries them out in order, each decided without itself and those after it. Throws what
   * GitHub's client throws where it must be asked who somebody is: nothing has been decided then.
   */
  async execute(given: readonly GivenCommand[], pull: Pull, repository: Repository): Promise<CommandOutcome[]> {
    const outcomes: CommandOutcome[] = [];
    for (const [index, each] of given.entries()) {
      const later = new Set(given.slice(index).flatMap(({ act }) => (act === null ? [] : [act.id])));
      const facts: Facts = { ...pull.facts, acts: pull.facts.acts.filter((act) => !later.has(act.id)) };
      try {
        outcomes.push(await this.#decideAndCarryOut(each, { ...pull, facts }, pull, repository));
      } catch (error) {
        if (!(error instanceof PolicyUnreadable)) {
          throw error;
        }
        outcomes.push({ outcome: "refused", reason: error.message });
      }
    }
    return outcomes;
  }

  async #decideAndCarryOut(
    given: GivenCommand,
    without: Pull,
    pull: Pull,
    repository: Repository,
  ): Promise<CommandOutcome> {
    const { evaluator } = this.#options;
    const { command, by, at, act } = given;
    // Neither the policy nor where the pull request is has a say in it.
    if (command.kind === "run") {
      const { name: verb, argument } = command;
      return await this.#options.runs.command({ verb, argument, by, at }, pull, repository);
    }
    const before = await evaluator.evaluate(without, repository);
    const decided = { command, by, before, pull, repository };
    const reason = await this.#refusal(given, before, pull, repository);
    if (reason !== null) {
      auditCommand(this.#options.log, { ...decided, refused: true });
      return { outcome: "refused", reason };
    }
    if (command.kind === "unknown" || command.kind === "surplus" || command.kind === "policy") {
      // What a condition waits for is decided by that condition.
      return { outcome: "done", text: null };
    }
    if (act?.kind === "command" && OUTLASTING.has(act.command)) {
      await this.#recordAct({ ...act, granted: true }, pull);
    }
    const after =
      act === null ? before : await evaluator.evaluate({ ...without, facts: withAct(without.facts, act) }, repository);
    const carryOut = command.kind === "stage" ? STAGE_COMMANDS[command.name] : REPOSITORY_COMMANDS[command.name];
    const { argument } = command;
    const effects = this.#effects(pull, repository, after.policy);
    const outcome = await carryOut({ by, at, argument, before, after, pull, repository, effects });
    auditCommand(this.#options.log, { ...decided, refused: false });
    return outcome;
  }

  /** Null: it is allowed. */
  async #refusal(
    given: GivenCommand,
    before: EvaluatedPull,
    pull: PullId,
    repository: Repository,
  ): Promise<string | null> {
    const { evaluator } = this.#options;
    const { command, by: actor, act } = given;
    const { evaluation, policy } = before;
    let { permissions } = before;
    for (let round = 0; ; round += 1) {
      const decision = decideCommand({ command, actor, evaluation, policy, permissions });
      if (decision.allowed) {
        return null;
      }
      if (decision.lookups.length === 0 || round === MOST_ROUNDS) {
        if (act?.kind === "command" && (await this.#isOutsider({ actor, policy, permissions }, repository))) {
          await this.#recordAct(refusedForGood(act), pull);
        }
        return decision.reason;
      }
      permissions = await evaluator.learn(permissions, decision.lookups, repository);
    }
  }

  /** Asks whatever it takes: rights that come later are noticed, and would bring a refused command into force. */
  async #isOutsider(input: Parameters<typeof isOutsider>[0], repository: Repository): Promise<boolean> {
    let { permissions } = input;
    for (let round = 0; ; round += 1) {
      const { outsider, lookups } = isOutsider({ ...input, permissions });
      if (lookups.length === 0 || round === MOST_ROUNDS) {
        return outsider;
      }
      permissions = await this.#options.evaluator.learn(permissions, lookups, repository);
    }
  }

  /**
   * Whatever they become later: what they were refused must not come into force then, and what stopped a pull request
   * must not let go of it.
   */
  async #recordAct(act: Act, pull: PullId): Promise<void> {
    const { store, now } = this.#options;
    await changePull(store, pull, now, (row) =>
      row === null ? null : { pull: { ...row, facts: withAct(row.facts, act) } },
    );
  }

  #effects(pull: Pull, repository: Repository, policy: Policy): Effects {
    const { store, now, wakeups, clients, log, runs } = this.#options;
    return {
      waits: () => runs.waits(pull),
      failed: async () =>
        (await store.effectsOf(pull)).filter((effect) => effect.status === "dead").length +
        (await store.starts.ofPull(pull)).filter(isRefused).length,
      retry: async () => {
        await changePull(store, pull, now, (row) => (row === null ? null : unblocked(row, now())));
        if ((await store.reviveEffects(pull, now())) > 0) {
          wakeups.notify("effects");
        }
        // The reevaluation wakes those that start them.
        await store.starts.retry(pull, now());
        wakeups.notify("pulls");
      },
      hold: async (word: HoldWord) => {
        const newest = await store.holds.put(word);
        if (await reopenGroups(store, word.repositoryId, now())) {
          wakeups.notify("effects");
        }
        const client = () => clients.installation(repository.installationId ?? 0);
        const gates = word.held ? await closeGates({ store, client, repository, policy, now, log }) : [];
        await store.requestReevaluation({ repositoryId: word.repositoryId, open: true }, now());
        wakeups.notify("pulls");
        return newest ? gates : null;
      },
    };
  }
}

function withAct(facts: Facts, act: Act): Facts {
  const { installationId, repository, number } = facts;
  return record(facts, { kind: "acts", pull: { installationId, repository, number }, acts: [act] });
}

/**
 * A command that was refused for good: the same act by a name that no rule looks for. Of two acts with one id facts
 * keep the later in the order of text, and "~" comes after all letters.
 */
function refusedForGood(act: Extract<Act, { kind: "command" }>): Act {
  return { ...act, command: `~${act.command}` };
}
