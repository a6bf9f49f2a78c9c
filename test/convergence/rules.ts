/** What people do to the rules: holds of pull requests and of the repository, and other policies. */
import type { HoldWord } from "../../app/store/model.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/policy/default-policy.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import { POLICY_PATH, readPolicy } from "../../src/lifecycle/policy/read-policy.ts";
import {
  type Account,
  addComment,
  addLabelsByName,
  asUser,
  commitFiles,
  labelsOn,
  type PullRequest,
  removeLabels,
} from "../../src/sandbox/world/index.ts";
import type { Random } from "../simulation/random.ts";
import { as } from "./bots.ts";
import type { Scene } from "./github.ts";

const GATED = (security: string, more = "") => `version: 1
operators: [cleo]
stages:
  - name: pr-created
    owner: rex
    enter: { draft: false }
  - name: ready-for-qa
    owner: tess
    enter: { label: { name: ready-for-qa, by: [cleo] }, checks: [build] }
    back: { when: changes_requested, to: pr-created }
${security}
  - name: approved
    gate: true
    enter: { approvals: { count: 1, by: [tess] } }
on_push: { back_to: pr-created }
max_rounds: 3
${more}`;
const security = (when: string) => `  - name: security
    gate: true
    when: ${when}
    enter: { command: { name: secure, by: [cleo, tess] } }`;

/** A gate that some pull requests have no need of; the same for others; none; all shown otherwise. The first is first. */
export const GATED_POLICIES: readonly [string, ...string[]] = [
  GATED(security("{ any: [{ label: sensitive }, { paths: gadget-2.txt }] }")),
  GATED(security("{ paths: gadget-1.txt }")),
  GATED(""),
  GATED(security("{ label: sensitive }"), "checks: gates\n"),
];

export class Rules {
  readonly #scene: Scene;
  readonly #random: Random;
  readonly #texts: readonly string[];
  readonly #held = new Set<number>();
  #text: string | null;
  #policy: Policy;
  #word: HoldWord | null = null;
  #changes = 0;
  #removals = 0;

  /** `texts`: the policies that there may be, first the one that there is; none: without a file. */
  constructor(scene: Scene, random: Random, texts: readonly string[]) {
    this.#scene = scene;
    this.#random = random;
    this.#texts = texts;
    this.#text = texts[0] ?? null;
    this.#policy = this.#text === null ? DEFAULT_POLICY : policyOf(this.#text);
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** The newest on the repository by somebody who may say it; null: there was none. */
  get word(): HoldWord | null {
    return this.#word;
  }

  /** Stages that every pull request has under all of the policies, in order. */
  get steady(): readonly string[] {
    const all = this.#texts.length === 0 ? [this.#policy] : this.#texts.map(policyOf);
    return this.#policy.stages
      .filter(({ name }) => all.every(({ stages }) => stages.some((each) => each.name === name && each.when === null)))
      .map(({ name }) => name);
  }

  /** Does something and says what; null: the rules are left as they are. */
  act(pulls: readonly PullRequest[]): string | null {
    const open = pulls.filter((pull) => pull.state === "open");
    const [first, ...rest] = open;
    if (first === undefined) {
      return null;
    }
    const { people } = this.#scene;
    const pull = this.#random.pick([first, ...rest]);
    const [ready] = open.filter((each) => this.#labels(each).includes("stage/approved"));
    if (this.#word?.held === true && this.#random.chance(0.4)) {
      return this.#ofRepository(pull, false);
    }
    if (this.#held.has(pull.number) && this.#random.chance(0.25)) {
      this.#held.delete(pull.number);
      return this.#say(pull, people.cleo, "/stage unhold");
    }
    if (ready !== undefined && this.#random.chance(0.35)) {
      return this.#random.chance(0.5) ? this.#ofRepository(pull, true) : this.#hold(ready);
    }
    if (this.#random.chance(0.06)) {
      return this.#random.pick([
        () => this.#ofRepository(pull, true),
        () => this.#hold(pull),
        () => this.#say(pull, people.mallory, "/stage hold --repository because I may not"),
      ])();
    }
    return this.#texts.length > 1 && this.#random.chance(0.4) ? this.#changeGates(pull) : null;
  }

  /** How often there was what, with what was said on these pull requests by whomever. */
  told(pulls: readonly PullRequest[]): Record<string, number> {
    const said = pulls.flatMap((pull) => pull.comments.map(({ body }) => body));
    const count = (pattern: RegExp): number => said.filter((body) => pattern.test(body)).length;
    return {
      "holds of a pull request": count(/^\/stage hold (?!--)/u),
      "unholds of a pull request": count(/^\/stage unhold$/u),
      "holds of the repository": count(/^\/stage hold --repository (?!because)/u),
      "unholds of the repository": count(/^\/stage unhold --repository/u),
      "holds by somebody who may not": count(/because I may not$/u),
      "changes of the policy": this.#changes,
      "gates taken out of the policy": this.#removals,
    };
  }

  #changeGates(pull: PullRequest): string {
    const { people } = this.#scene;
    return this.#random.pick([
      () => this.#sensitive(pull),
      () => this.#sensitive(pull),
      () => this.#say(pull, people.cleo, "/secure"),
      () => this.#say(pull, people.cleo, "/secure"),
      () => this.#say(pull, people.rex, "/secure"),
      () => this.#changePolicy(),
      () => this.#changePolicy(),
    ])();
  }

  #sensitive(pull: PullRequest): string {
    const { sandbox, people } = this.#scene;
    const label = labelsOn(sandbox.world, pull).find(({ name }) => name === "sensitive");
    if (label === undefined) {
      addLabelsByName(sandbox.world, as(sandbox.world, people.rex), pull, ["sensitive"]);
      return `#${pull.number} rex adds sensitive`;
    }
    removeLabels(sandbox.world, as(sandbox.world, people.rex), pull, [label]);
    return `#${pull.number} rex removes sensitive`;
  }

  #changePolicy(): string {
    const { sandbox, people, repository } = this.#scene;
    const [first = "", ...rest] = this.#texts.filter((text) => text !== this.#text);
    // The one without the gate is there as often as all others.
    const without = this.#random.chance(0.5) ? rest.find((text) => !text.includes("name: security")) : undefined;
    const text = without ?? this.#random.pick([first, ...rest]);
    const before = this.#policy;
    this.#text = text;
    this.#policy = policyOf(text);
    const gone = before.stages.filter(({ name }) => !this.#policy.stages.some((stage) => stage.name === name));
    this.#changes += 1;
    this.#removals += gone.filter(({ gate }) => gate).length;
    commitFiles(sandbox.world, asUser(people.owner), repository, {
      branch: repository.defaultBranch,
      message: "Change the policy",
      files: { [POLICY_PATH]: text },
    });
    return `the policy changes: ${this.#policy.stages.map(({ name, when }) => `${name}${when === null ? "" : "?"}`).join(" → ")}, checks: ${this.#policy.checks}`;
  }

  #hold(pull: PullRequest): string {
    this.#held.add(pull.number);
    return this.#say(pull, this.#scene.people.cleo, "/stage hold not yet");
  }

  #ofRepository(pull: PullRequest, held: boolean): string {
    const by = this.#scene.people.cleo;
    const reason = held ? `release ${this.#random.between(1, 9)}` : "";
    const told = this.#say(pull, by, `/stage ${held ? "hold" : "unhold"} --repository ${reason}`.trim());
    const made = pull.comments.at(-1)?.createdAt ?? 0;
    const at = made - (made % 1_000);
    const before = this.#word;
    // Of one second's words a hold counts, and of two holds the later in the order of text.
    const counts = before?.held === held ? reason >= before.reason : held;
    if (before === null || at > before.at || counts) {
      const kind = by.appId === null ? "user" : "bot";
      const actor = { kind, id: by.id, login: by.login } as const;
      this.#word = { repositoryId: this.#scene.repository.id, held, at, by: actor, reason };
    }
    return told;
  }

  #say(pull: PullRequest, who: Account, body: string): string {
    const { world } = this.#scene.sandbox;
    addComment(world, as(world, who), pull, body);
    return `#${pull.number} ${who.login} writes ${body}`;
  }

  #labels(pull: PullRequest): string[] {
    return labelsOn(this.#scene.sandbox.world, pull).map(({ name }) => name);
  }
}

export function policyOf(text: string): Policy {
  const { policy, problems } = readPolicy(text);
  if (policy === null) {
    throw new Error(JSON.stringify(problems));
  }
  return policy;
}
