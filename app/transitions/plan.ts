/** The writes of a round: the difference between what is shown and what is to be shown, with the labels that it needs. */

import type { GitHubClient } from "../../src/github/port.ts";
import type { NewLabel } from "../../src/github/pulls/labels.ts";
import { mutationCount, type Transition } from "../../src/github/pulls/transition.ts";
import { labelsAskedFor } from "../../src/lifecycle/evaluation/used-labels.ts";
import { isPattern, literalName } from "../../src/lifecycle/evidence/name-patterns.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import { stageLabel } from "../../src/lifecycle/presentation/display.ts";
import { labelsNeeded, writesFor } from "../evaluation/desired-state.ts";
import type { KnownLabels, LabelIds } from "../github-cache/label-ids.ts";
import type { Repository } from "../store/model.ts";
import type { InstallationWriter } from "../work/writer/installation-writer.ts";
import type { PendingTransition, PreparedTransition } from "./verify.ts";

export interface WritesOptions {
  readonly labelIds: LabelIds;
  /** Where a person can read about a pull request; null: nowhere. */
  readonly detailsUrl: (repository: Repository, number: number) => string | null;
}

export class Writes {
  readonly #options: WritesOptions;

  constructor(options: WritesOptions) {
    this.#options = options;
  }

  /**
   * The difference of each pending of one repository; labels that are missing are made first. Throws when the labels
   * cannot be asked for or made.
   */
  async prepare(
    client: GitHubClient,
    group: readonly PendingTransition[],
    writer: InstallationWriter,
  ): Promise<PreparedTransition[]> {
    const labels = await this.#labels(client, group, writer);
    return group.map((pending) => ({ pending, transition: this.#transition(pending, labels) }));
  }

  /** What puts back what was shown before: labels are looked for, and never made. Throws like `prepare`. */
  async restoring(client: GitHubClient, pending: PendingTransition, writer: InstallationWriter): Promise<Transition> {
    const needed = labelsNeeded(pending.desired, pending.shown);
    const write = <T>(send: () => Promise<T>): Promise<T> => writer.write(send);
    const { labelIds } = this.#options;
    const labels = await labelIds.resolve(client, pending.repository, [], needed, needed, write);
    return this.#transition(pending, labels);
  }

  #transition({ desired, shown, repository, evaluated, pull }: PendingTransition, labels: KnownLabels): Transition {
    return writesFor({
      number: pull.number,
      pullNodeId: evaluated.facts.nodeId,
      repositoryNodeId: labels.repositoryNodeId,
      desired,
      shown,
      labelIds: labels.ids,
      detailsUrl: this.#options.detailsUrl(repository, pull.number),
    });
  }

  #labels(client: GitHubClient, group: readonly PendingTransition[], writer: InstallationWriter): Promise<KnownLabels> {
    const [first] = group;
    if (first === undefined) {
      throw new Error("A group without a pull request.");
    }
    const needed = [...new Set(group.flatMap(({ desired, shown }) => labelsNeeded(desired, shown)))];
    const { policy } = first.evaluated;
    // All of a policy's labels at once: one request serves the repository's later moves, too.
    const adds = group.some(({ desired }) => desired.label !== null && needed.includes(desired.label));
    const create = adds ? stageLabelsOf(policy) : [];
    const asked = adds ? policy.stages.flatMap((stage) => labelsAskedFor(stage.enter)) : [];
    const find = asked.flatMap(({ name }) => (isPattern(name) ? [] : [literalName(name)]));
    const gone = needed.filter((name) => !create.some((each) => each.name === name));
    const write = <T>(send: () => Promise<T>): Promise<T> => writer.write(send);
    return this.#options.labelIds.resolve(client, first.repository, create, [...find, ...gone], gone, write);
  }
}

/** As many as fit; at least one, however many mutations it is. Changes nothing about their order. */
export function withinBudget(prepared: readonly PreparedTransition[], budget: number): PreparedTransition[] {
  const batch: PreparedTransition[] = [];
  let mutations = 0;
  for (const each of prepared) {
    mutations += mutationCount(each.transition);
    if (batch.length > 0 && mutations > budget) {
      break;
    }
    batch.push(each);
  }
  return batch;
}

function stageLabelsOf(policy: Policy): NewLabel[] {
  return policy.stages.map((stage) => ({
    name: stageLabel(stage.name),
    color: stage.color,
    description: (stage.description ?? `Stagewright: the pull request is in the stage ${stage.name}`).slice(0, 100),
  }));
}
