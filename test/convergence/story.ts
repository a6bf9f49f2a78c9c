/** What people do to pull requests, at random: acts that GitHub would let them do. */
import {
  type Account,
  type App,
  addApp,
  addComment,
  addLabelsByName,
  asApp,
  asUser,
  checkRunsOn,
  closePull,
  commitFiles,
  createCheckRun,
  dismissReview,
  install,
  labelsOn,
  openPull,
  type PullRequest,
  type Repository,
  removeLabels,
  reopenPull,
  setDraft,
  submitReview,
  updateCheckRun,
  type World,
} from "../../src/sandbox/world/index.ts";
import { KEYS } from "../keys.ts";
import type { Random } from "../simulation/random.ts";
import { as } from "./bots.ts";
import type { People, Scene } from "./github.ts";
import { CI_PATH, FORGED, HONEST, runCi } from "./runs.ts";
import { Seconds } from "./seconds.ts";

const MOST_PULLS = 3;
const STAGES = ["pr-created", "ready-for-qa", "approved"] as const;

export interface StoryOptions {
  /** Commands and labels whose meaning depends on what was shown when they were heard. */
  readonly byWhatIsShown: boolean;
  /** Workflows run, honest ones and forged ones. */
  readonly runs?: boolean;
  /** Who gives the label that leads on, and who approves; left out: cleo, and tess. */
  readonly labelers?: readonly (keyof People)[];
  readonly approvers?: readonly (keyof People)[];
  /** Most of what is done leads somewhere. */
  readonly purposeful?: boolean;
  /** Writes the check run `build`. */
  readonly ci: App;
}

/** An app that writes check runs on all of the owner's repositories. */
export function addCi(world: World, owner: Account, repositories: readonly Repository[]): App {
  const permissions = { checks: "write", metadata: "read" } as const;
  const ci = addApp(world, { slug: "ci", owner, permissions, events: [], keys: KEYS });
  install(world, asUser(owner), { app: ci, account: owner, repositories });
  return ci;
}

export class Story {
  readonly #github: Scene;
  readonly #random: Random;
  readonly #options: StoryOptions;
  readonly #ci: App;
  /** How much of what is done leads somewhere: at random alone hardly anything comes to the last stage. */
  readonly #purpose: number;
  readonly seconds: Seconds;
  #count = 0;

  constructor(github: Scene, random: Random, options: StoryOptions) {
    this.#github = github;
    this.#random = random;
    this.#options = options;
    this.#ci = options.ci;
    this.seconds = new Seconds(github, random);
    const purpose = random.pick([0, 0.4, 0.7]);
    this.#purpose = options.runs === true || options.purposeful === true ? 0.7 : purpose;
  }

  get repository(): Repository {
    return this.#github.repository;
  }

  get pulls(): PullRequest[] {
    return [...this.#github.repository.pulls.values()];
  }

  /** Does something and says what; null: it would not have been possible now. */
  act(): string | null {
    const { pulls } = this;
    const [first, ...rest] = pulls;
    if (first === undefined || (pulls.length < MOST_PULLS && this.#random.chance(0.15))) {
      return this.#open();
    }
    const pull = this.#random.pick([first, ...rest]);
    if (this.#random.chance(this.#purpose)) {
      return `#${pull.number} ${this.#carryOn(pull)}`;
    }
    if (this.#random.chance(0.3)) {
      const told = this.seconds.act(pull);
      return told === null ? null : `#${pull.number} ${told}`;
    }
    const deeds: [() => string | null, ...(() => string | null)[]] = [
      () => this.#label(pull),
      () => this.#label(pull),
      () => this.#unlabel(pull),
      () => this.#review(pull),
      () => this.#review(pull),
      () => this.#review(pull),
      () => this.#dismiss(pull),
      () => this.#push(pull),
      () => this.#draft(pull),
      () => this.#close(pull),
      () => this.#check(pull),
      () => this.#check(pull),
      () => this.#command(pull),
      () => this.#tamper(pull),
      ...(this.#options.runs === true
        ? [() => runCi(this.#github, pull, this.#random), () => runCi(this.#github, pull, this.#random)]
        : []),
    ];
    const told = this.#random.pick(deeds)();
    return told === null ? null : `#${pull.number} ${told}`;
  }

  /** Brings the first that is open on by one act, from a hold to its last stage; null: it is there. */
  carryOn(nth: number): string | null {
    const { sandbox, people } = this.#github;
    const pull = this.pulls.find(({ state }) => state === "open");
    if (pull === undefined) {
      return this.#open();
    }
    if (nth === 0) {
      addComment(sandbox.world, as(sandbox.world, people.cleo), pull, "/stage unhold");
      return `#${pull.number} cleo writes /stage unhold`;
    }
    const there = labelsOn(sandbox.world, pull).some(({ name }) => name === "stage/approved");
    return there ? null : `#${pull.number} ${this.#carryOn(pull)}`;
  }

  /** The next thing that a pull request needs on its way through any of the policies; at its end it is sent back. */
  #carryOn(pull: PullRequest): string {
    const { sandbox, people } = this.#github;
    const { world } = sandbox;
    if (pull.state !== "open") {
      reopenPull(world, as(world, people.rex), pull);
      return "is reopened";
    }
    if (pull.draft) {
      setDraft(world, as(world, people.rex), pull, false);
      return "is ready for review";
    }
    const build = checkRunsOn(world, this.#github.repository, pull.head.sha).find((run) => run.appId === this.#ci.id);
    if (build?.conclusion !== "success") {
      return this.#check(pull, "success");
    }
    const on = labelsOn(world, pull).map((label) => label.name);
    if (!on.includes("ready-for-qa")) {
      const by = this.#oneOf(this.#options.labelers) ?? people.cleo;
      addLabelsByName(world, as(world, by), pull, ["ready-for-qa"]);
      return `${by.login} adds ready-for-qa`;
    }
    if (this.#options.runs === true && !on.includes("stage/approved")) {
      return runCi(this.#github, pull, this.#random) ?? "nothing is run";
    }
    if (on.includes("stage/approved") || this.#random.chance(0.2)) {
      submitReview(world, as(world, people.tess), pull, { state: "CHANGES_REQUESTED", body: "no" });
      return "tess reviews: CHANGES_REQUESTED";
    }
    const by = this.#oneOf(this.#options.approvers) ?? people.tess;
    submitReview(world, as(world, by), pull, { state: "APPROVED", body: "yes" });
    return `${by.login} reviews: APPROVED`;
  }

  /** Null: nobody is named. */
  #oneOf(names: readonly (keyof People)[] | undefined): Account | null {
    const [first, ...rest] = names ?? [];
    return first === undefined ? null : this.#github.people[this.#random.pick([first, ...rest])];
  }

  #open(): string {
    const { sandbox, repository, people } = this.#github;
    this.#count += 1;
    const head = `gadget-${this.#count}`;
    commitFiles(sandbox.world, as(sandbox.world, people.rex), repository, {
      branch: head,
      message: "Add",
      files: { [`${head}.txt`]: "gadget\n" },
    });
    const draft = this.#random.chance(0.2);
    const pull = openPull(sandbox.world, as(sandbox.world, people.rex), repository, {
      title: "Add",
      head,
      base: "main",
      draft,
    });
    return `#${pull.number} opened${draft ? " as a draft" : ""}`;
  }

  #label(pull: PullRequest): string | null {
    const { sandbox, people } = this.#github;
    if (labelsOn(sandbox.world, pull).some((label) => label.name === "ready-for-qa")) {
      return null;
    }
    const who = this.#random.pick([people.cleo, people.cleo, people.rex]);
    addLabelsByName(sandbox.world, as(sandbox.world, who), pull, ["ready-for-qa"]);
    return `${who.login} adds ready-for-qa`;
  }

  #unlabel(pull: PullRequest): string | null {
    const { sandbox, people } = this.#github;
    const label = labelsOn(sandbox.world, pull).find((each) => each.name === "ready-for-qa");
    if (label === undefined) {
      return null;
    }
    removeLabels(sandbox.world, as(sandbox.world, people.cleo), pull, [label]);
    return "cleo removes ready-for-qa";
  }

  #review(pull: PullRequest): string | null {
    if (pull.state !== "open") {
      return null;
    }
    const { sandbox, people } = this.#github;
    const who = this.#random.pick([people.tess, people.tess, people.cleo, people.mallory]);
    const state = this.#random.pick(["APPROVED", "APPROVED", "CHANGES_REQUESTED", "COMMENTED"] as const);
    submitReview(sandbox.world, as(sandbox.world, who), pull, { state, body: "said" });
    return `${who.login} reviews: ${state}`;
  }

  #dismiss(pull: PullRequest): string | null {
    const { sandbox, people } = this.#github;
    const review = pull.reviews.findLast((each) => each.state === "APPROVED" || each.state === "CHANGES_REQUESTED");
    if (review === undefined) {
      return null;
    }
    dismissReview(sandbox.world, as(sandbox.world, people.cleo), pull, review, "no");
    return `cleo dismisses review ${review.id}`;
  }

  #push(pull: PullRequest): string | null {
    if (pull.state !== "open") {
      return null;
    }
    const { sandbox, repository, people } = this.#github;
    this.#count += 1;
    const who = this.#random.pick([people.rex, people.rex, people.cleo]);
    commitFiles(sandbox.world, as(sandbox.world, who), repository, {
      branch: pull.head.ref,
      message: "More",
      files: {
        "more.txt": `${this.#count}\n`,
        ...(this.#options.runs === true ? { [CI_PATH]: this.#random.pick([HONEST, HONEST, FORGED]) } : {}),
      },
    });
    return `${who.login} pushes ${pull.head.sha.slice(0, 7)}`;
  }

  #draft(pull: PullRequest): string | null {
    if (pull.state !== "open") {
      return null;
    }
    const { sandbox, people } = this.#github;
    setDraft(sandbox.world, as(sandbox.world, people.rex), pull, !pull.draft);
    return pull.draft ? "becomes a draft" : "is ready for review";
  }

  #close(pull: PullRequest): string | null {
    const { sandbox, people } = this.#github;
    if (pull.state === "open") {
      if (!this.#random.chance(0.5)) {
        return null;
      }
      closePull(sandbox.world, as(sandbox.world, people.rex), pull);
      return "is closed";
    }
    reopenPull(sandbox.world, as(sandbox.world, people.rex), pull);
    return "is reopened";
  }

  #check(pull: PullRequest, wanted?: "success"): string {
    const { sandbox, repository } = this.#github;
    const { world } = sandbox;
    const actor = asApp(world, this.#ci);
    const known = checkRunsOn(world, repository, pull.head.sha).find((run) => run.appId === this.#ci.id);
    const conclusion = wanted ?? this.#random.pick(["success", "success", "failure"] as const);
    if (known !== undefined && known.status !== "completed") {
      updateCheckRun(world, actor, known, { status: "completed", conclusion });
      return `build ends: ${conclusion}`;
    }
    // While a check runs again GitHub's lists show nothing else of it: who missed the end of the run before cannot know
    // it until this one ends. So a further run has ended when it is first heard of.
    const fields =
      known === undefined && this.#random.chance(0.5)
        ? ({ status: "in_progress" } as const)
        : ({ status: "completed", conclusion } as const);
    createCheckRun(world, actor, { repository, app: this.#ci, headSha: pull.head.sha, name: "build", ...fields });
    return `build: ${fields.status}`;
  }

  #command(pull: PullRequest): string | null {
    const { sandbox, people } = this.#github;
    const who = this.#random.pick([people.cleo, people.tess, people.mallory]);
    const shown = ["/stage back", "/stage to approved", "/stage to pr-created"] as const;
    const body = this.#random.pick([
      "/stage hold wait",
      "/stage unhold",
      "/stage unhold",
      "/stage status",
      "/reject",
      "looks good",
      ...(this.#options.byWhatIsShown ? shown : []),
    ]);
    addComment(sandbox.world, as(sandbox.world, who), pull, body);
    return `${who.login} writes ${body}`;
  }

  #tamper(pull: PullRequest): string | null {
    const { sandbox, people } = this.#github;
    // Cleo may move it by the label: that is a command like `to`.
    const who = this.#options.byWhatIsShown ? this.#random.pick([people.rex, people.cleo]) : people.rex;
    const on = labelsOn(sandbox.world, pull).filter((label) => label.name.startsWith("stage/"));
    if (on.length > 0 && this.#random.chance(0.4)) {
      removeLabels(sandbox.world, as(sandbox.world, who), pull, on.slice(0, 1));
      return `${who.login} removes ${on[0]?.name}`;
    }
    const name = `stage/${this.#random.pick(STAGES)}`;
    if (on.some((label) => label.name === name)) {
      return null;
    }
    addLabelsByName(sandbox.world, as(sandbox.world, who), pull, [name]);
    return `${who.login} adds ${name}`;
  }
}
