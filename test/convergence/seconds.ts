/** What happens within one second: GitHub dates all of it alike, and only its timeline has an order. */
import {
  addComment,
  addLabelsByName,
  commitFiles,
  labelsOn,
  type PullRequest,
  removeLabels,
  setDraft,
  submitReview,
} from "../../src/sandbox/world/index.ts";
import type { Random } from "../simulation/random.ts";
import { as } from "./bots.ts";
import type { Scene } from "./github.ts";

/** Closed list: the kinds of which stories count how often they happened. */
export const SECONDS = [
  "label off and on",
  "push and label",
  "draft and ready",
  "draft and label",
  "hold and unhold",
  "hold and label",
  "label by two",
  "push and approval",
  "label given again as we take it off",
] as const;
export type SecondKind = (typeof SECONDS)[number];

const LABEL = "ready-for-qa";
/** In one story. */
const MOST_GIVEN_AGAIN = 4;

export class Seconds {
  readonly counts = new Map<SecondKind, number>();
  readonly #scene: Scene;
  readonly #random: Random;
  #pushes = 0;
  #givenAgain = 0;

  constructor(scene: Scene, random: Random) {
    this.#scene = scene;
    this.#random = random;
    this.#giveAgain();
  }

  /** Several acts of one second on an open pull request, in either order; says which. */
  act(pull: PullRequest): string | null {
    if (pull.state !== "open") {
      return null;
    }
    const { cleo, rex, tess } = this.#scene.people;
    const hold = () => this.#say(pull, "/stage hold now");
    const unhold = () => this.#say(pull, "/stage unhold");
    const [first, second] = this.#random.chance(0.5) ? [rex, cleo] : [cleo, rex];
    const deeds: readonly [SecondKind, ...(() => void)[]][] = [
      ["label off and on", () => this.#off(pull), () => this.#on(pull), () => this.#off(pull), () => this.#on(pull)],
      [
        "push and label",
        ...this.#maybe(() => this.#off(pull)),
        ...this.#either(
          () => this.#push(pull, rex),
          () => this.#on(pull),
        ),
      ],
      ["draft and ready", () => this.#draft(pull, !pull.draft), () => this.#draft(pull, !pull.draft)],
      // Twice: otherwise it comes up less often than the others.
      ["draft and ready", () => this.#draft(pull, !pull.draft), () => this.#draft(pull, !pull.draft)],
      [
        "draft and label",
        ...this.#either(
          () => this.#draft(pull, !pull.draft),
          () => this.#on(pull),
        ),
      ],
      ["hold and unhold", ...this.#either(hold, unhold)],
      ["hold and label", () => this.#off(pull), ...this.#either(hold, () => this.#on(pull)), ...this.#maybe(unhold)],
      ["label by two", () => this.#on(pull, first), () => this.#off(pull), () => this.#on(pull, second)],
      [
        "push and approval",
        ...this.#either(
          () => this.#push(pull, rex),
          () => submitReview(this.#scene.sandbox.world, this.#as(tess), pull, { state: "APPROVED", body: "yes" }),
        ),
      ],
    ];
    const [kind, ...steps] = this.#random.pick(deeds as readonly [(typeof deeds)[number], ...typeof deeds]);
    for (const step of steps) {
      step();
    }
    this.#count(kind);
    return `in one second: ${kind}`;
  }

  /** An agent that waits for its turn gives the label again in the very second in which the app takes it off. */
  #giveAgain(): void {
    const { sandbox, app, people } = this.#scene;
    sandbox.world.changes.record((change) => {
      if (change.kind !== "pull_request" || change.action !== "unlabeled" || change.actor.account.id !== app.botId) {
        return;
      }
      const { pull } = change;
      if (change.label?.name !== LABEL || this.#givenAgain >= MOST_GIVEN_AGAIN || !this.#random.chance(0.6)) {
        return;
      }
      this.#givenAgain += 1;
      // When what took it off has read back what is on it.
      void Promise.resolve().then(() => {
        if (pull.state === "open") {
          this.#on(pull, people.cleo);
          this.#count("label given again as we take it off");
        }
      });
    });
  }

  #either(...deeds: [() => void, () => void]): (() => void)[] {
    return this.#random.chance(0.5) ? deeds : deeds.toReversed();
  }

  #maybe(deed: () => void): (() => void)[] {
    return this.#random.chance(0.5) ? [deed] : [];
  }

  #as(account: Scene["people"]["rex"]) {
    return as(this.#scene.sandbox.world, account);
  }

  #on(pull: PullRequest, by = this.#scene.people.cleo): void {
    addLabelsByName(this.#scene.sandbox.world, this.#as(by), pull, [LABEL]);
  }

  #off(pull: PullRequest): void {
    const { world } = this.#scene.sandbox;
    const on = labelsOn(world, pull).filter((label) => label.name === LABEL);
    removeLabels(world, this.#as(this.#scene.people.cleo), pull, on);
  }

  #draft(pull: PullRequest, draft: boolean): void {
    setDraft(this.#scene.sandbox.world, this.#as(this.#scene.people.rex), pull, draft);
  }

  #push(pull: PullRequest, by: Scene["people"]["rex"]): void {
    this.#pushes += 1;
    commitFiles(this.#scene.sandbox.world, this.#as(by), this.#scene.repository, {
      branch: pull.head.ref,
      message: "In that second",
      files: { "second.txt": `${this.#pushes}\n` },
    });
  }

  #say(pull: PullRequest, body: string): void {
    addComment(this.#scene.sandbox.world, this.#as(this.#scene.people.cleo), pull, body);
  }

  #count(kind: SecondKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }
}
