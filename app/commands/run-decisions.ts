/** Decisions about runs that wait for a person, by comment or by button: who may, which run is meant, what becomes of it. */
import type { Logger } from "pino";
import type { RunCommandName } from "../../src/lifecycle/command-names.ts";
import { authorityOf, orList, whoMay } from "../../src/lifecycle/evaluation/permissions.ts";
import { type Actor, NO_PERMISSIONS } from "../../src/lifecycle/facts/facts.ts";
import { readRunButton } from "../../src/lifecycle/presentation/run-buttons.ts";
import { readRunArgument, runsNamed, shortestName } from "../../src/lifecycle/run-commands.ts";
import { clip, codeSpan, markdown, oneLine } from "../../src/report/escape.ts";
import { type AskedApproval, hasDecided } from "../../src/run/checkpoints/decisions.ts";
import { audit } from "../audit/audit.ts";
import type { Evaluator } from "../evaluation/evaluator.ts";
import type { DecidableRun, RunApprovals } from "../plan-runs/approvals.ts";
import type { Pull, Repository } from "../store/model.ts";
import { DONE, type Done } from "./command.ts";

const EVENTS = { continue: "run.approved", stop: "run.stopped" } as const;
const MOST_NAMED = 10;
const LONGEST_NAME = 200;
/** Permissions that were asked for may lead to further questions. */
const MOST_ROUNDS = 4;

/** Why it counts for nothing: plain text. */
interface Refused {
  readonly outcome: "refused";
  readonly reason: string;
}

export interface RunDecisionsOptions {
  /** Null: the app hosts none. Throws while they are not taken up: then it is tried again. */
  readonly runs: () => Promise<RunApprovals | null>;
  readonly evaluator: Pick<Evaluator, "learn">;
  readonly log: Logger;
}

export interface GivenRunCommand {
  readonly verb: RunCommandName;
  readonly argument: string;
  readonly by: Actor;
  /** When it was written: whole seconds of GitHub's clock. */
  readonly at: number;
}

export class RunDecider {
  readonly #options: RunDecisionsOptions;

  constructor(options: RunDecisionsOptions) {
    this.#options = options;
  }

  /** Carries out a command of a comment on a pull request. Throws what GitHub's client throws: nothing is decided then. */
  async command(
    { verb, argument, by, at }: GivenRunCommand,
    pull: Pull,
    repository: Repository,
  ): Promise<Done | Refused> {
    const read = readRunArgument(argument);
    if ("problem" in read) return refused(read.problem);
    const approvals = await this.#options.runs();
    if (approvals === null) return refused("this app hosts no runs, so none waits here");
    const all = await approvals.ofPull({ ...pull, headSha: pull.facts.head.sha });
    const meant = read.run === null ? all : runsNamed(all, read.run);
    const said = { verb, by: by.login, why: read.reason };
    // It was carried out before its answer was kept.
    if (meant.some(({ decided }) => hasDecided(decided, said, at))) return DONE;
    const waiting = all.flatMap((run) => (run.asked === null ? [] : [{ ...run, asked: run.asked }]));
    const [run, ...others] = waiting.filter((each) => meant.some(({ id }) => id === each.id));
    if (run === undefined) {
      return refused(
        read.run === null || waiting.length === 0
          ? "no run of this pull request waits for a person"
          : `no run called ${read.run} waits for a person: ${namesOf(waiting)}`,
      );
    }
    if (others.length > 0) return refused(`${others.length + 1} runs wait for a person, name one: ${namesOf(waiting)}`);
    const { asked } = run;
    // What was written before may be about something else. Comments are dated in whole seconds.
    if (at < asked.since - (asked.since % 1_000)) {
      return refused(`it was written before ${nameOf(run)} came to wait before ${asked.name}: say it again`);
    }
    const reason =
      (await this.#refusal(by, asked.by, repository)) ??
      (await approvals.act(run.id, { ...said, stage: asked.stage, round: asked.round }));
    const about = { repository: `${repository.owner}/${repository.name}`, pull: pull.number, by };
    if (reason !== null) {
      audit(this.#options.log, "command.refused", { ...about, command: verb });
      return refused(reason);
    }
    audit(this.#options.log, EVENTS[verb], { ...about, run: run.id, stage: asked.stage, round: asked.round });
    return DONE;
  }

  /** Carries out a press of a button on a run's check run. @returns why it counts for nothing; null: it counts */
  async press(
    { run: id, identifier, by, at }: { run: string; identifier: string; by: Actor; at: number },
    repository: Repository,
  ): Promise<string | null> {
    const button = readRunButton(identifier);
    if (button === null) return `there is no button "${identifier}"`;
    const approvals = await this.#options.runs();
    const run = (await approvals?.find(id)) ?? null;
    if (approvals === null || run === null || run.repositoryId !== repository.id)
      return "the run is not known any more";
    const { verb, stage, round } = button;
    const said = { verb, by: by.login, why: null };
    if (hasDecided(run.decided, said, at)) return null;
    const { asked } = run;
    const isAsked = asked !== null && asked.stage === stage && asked.round === round;
    const reason =
      (isAsked ? await this.#refusal(by, asked.by, repository) : null) ??
      (await approvals.act(id, { ...said, stage, round }));
    if (reason !== null) {
      const text = `${by.login} pressed ${verb === "continue" ? "Continue" : "Stop"}, which does not count: ${reason}`;
      await approvals.act(id, { verb: "refused", text: clip(oneLine(text), 2_000) });
    } else {
      const about = { repository: `${repository.owner}/${repository.name}`, by };
      audit(this.#options.log, EVENTS[verb], { ...about, run: id, stage, round });
    }
    return reason;
  }

  /** What the runs of a pull request wait for: a line of Markdown each. */
  async waits(pull: Pull): Promise<readonly string[]> {
    const approvals = await this.#options.runs();
    const all = (await approvals?.ofPull({ ...pull, headSha: pull.facts.head.sha })) ?? [];
    const waiting = all.flatMap((run) => (run.asked === null ? [] : [{ ...run, asked: run.asked }]));
    return waiting.slice(0, MOST_NAMED).map((run) => {
      const { until, name } = run.asked;
      const shown = run.url === null ? markdown(nameOf(run)) : `[${markdown(nameOf(run))}](${run.url})`;
      const limit = until === null ? "" : ` until ${new Date(until).toISOString()}`;
      const option = waiting.length === 1 ? "" : ` --run ${shortestName(run, waiting)}`;
      return `**${shown}** waits before ${markdown(name)} for ${markdown(whoMay(namesIn(run.asked)))}${limit}: ${codeSpan(`/stage continue${option}`)} or ${codeSpan(`/stage stop${option}`)}.`;
    });
  }

  /** Null: this person may decide. What is unknown grants nothing. */
  async #refusal(actor: Actor, by: readonly string[], repository: Repository): Promise<string | null> {
    const names = by.length === 0 ? null : by;
    let permissions = NO_PERMISSIONS;
    for (let round = 0; ; round += 1) {
      const { truth, reason, lookups } = authorityOf(actor, names, permissions);
      if (truth === "yes") return null;
      if (lookups.length === 0 || round === MOST_ROUNDS) return `${actor.login} ${reason}`;
      permissions = await this.#options.evaluator.learn(permissions, lookups, repository);
    }
  }
}

function namesIn({ by }: AskedApproval): readonly string[] | null {
  return by.length === 0 ? null : by;
}

function refused(reason: string): Refused {
  return { outcome: "refused", reason };
}

function nameOf({ plan, group }: DecidableRun): string {
  return clip(oneLine(`${plan} (${group})`), LONGEST_NAME);
}

function namesOf(waiting: readonly (DecidableRun & { readonly asked: AskedApproval })[]): string {
  const named = waiting
    .slice(0, MOST_NAMED)
    .map((run) => `--run ${shortestName(run, waiting)} (before ${run.asked.name})`);
  return `${orList(named)}${waiting.length > named.length ? `, and ${waiting.length - named.length} more` : ""}`;
}
