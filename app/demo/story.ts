/** What happens in the demo, step by step, and how each step is verified. */
import {
  addLabelsByName,
  asUser,
  commitFiles,
  openPull,
  type PullRequest,
  submitReview,
  type World,
} from "../../src/sandbox/world/index.ts";
import type { Store } from "../store/model.ts";
import { movedThrough, ranPlan, STAGES, type Stage, showsStage } from "./expectations.ts";
import type { Narrator } from "./narrator.ts";
import { AGENTS, CHANGED, PLAN, type Scene } from "./scene.ts";
import { type Missing, WaitOver, waitFor } from "./waiting.ts";

/** A step was not verified. */
export class StepFailed extends Error {
  override readonly name = "StepFailed";
  readonly step: string;
  constructor(step: string, why: string, cause: unknown) {
    super(`step "${step}" failed: ${why}`, { cause });
    this.step = step;
  }
}

export interface StoryParts {
  readonly world: World;
  readonly scene: Scene;
  readonly narrator: Narrator;
  /** The app's memory, read beside it. */
  readonly store: () => Promise<Store>;
  /** How often the app sent a request that puts labels on. */
  readonly labelRequests: () => number;
  /** Why nothing can go on any more: a process has died. Null: all live. */
  readonly doomed: () => string | null;
  readonly signal: AbortSignal;
  /** Told of each verified step. */
  readonly verified: (step: string) => void;
}

/** The app answers within seconds; slow machines get the benefit of the doubt. */
const MOVE_MS = 30_000;
/** The plan itself takes about ten seconds. */
const PLAN_MS = 120_000;

interface Step {
  readonly name: string;
  readonly deadlineMs: number;
  act(): void;
  missing(): Missing | Promise<Missing>;
}

/** Tells the story to its end and returns the pull request. @throws StepFailed */
export async function tellStory(parts: StoryParts): Promise<PullRequest> {
  const { world, scene, narrator } = parts;
  let opened: PullRequest | undefined;
  const pull = (): PullRequest => {
    if (opened === undefined) throw new Error("the pull request is not open yet");
    return opened;
  };
  const history = async (stages: readonly Stage[]): Promise<Missing> => {
    const store = await parts.store();
    const page = await store.history({ repositoryId: scene.repository.id, number: pull().number }, 100);
    const moves = page.items.filter((entry) => entry.kind === "moved");
    const unexplained = moves
      .filter((entry) => entry.reason === "")
      .map((entry) => `a reason for the move to ${entry.to}`);
    const same = moves.length === stages.length && moves.every((entry, at) => entry.to === stages[at]);
    const now = moves.map((entry) => entry.to ?? "none").join(", ") || "none";
    return same ? unexplained : [`the moves ${stages.join(", ")} in the app's history (now: ${now})`, ...unexplained];
  };
  const shows = async (stage: Stage): Promise<Missing> => {
    const through = STAGES.slice(0, STAGES.indexOf(stage) + 1);
    const missing = [...showsStage(world, scene, pull(), stage), ...movedThrough(scene, pull(), through)];
    return missing.length > 0 ? missing : history(through);
  };

  const steps: readonly Step[] = [
    {
      name: "a pull request is opened and gets its first stage, pr-created",
      deadlineMs: MOVE_MS,
      act() {
        const by = asUser(scene.author);
        const files = { [CHANGED]: "read ahead, eight objects at a time\n" };
        narrator.because("rex", "the work of task-7");
        commitFiles(world, by, scene.repository, { branch: "task-7", message: "Read ahead", files });
        narrator.because("rex", "task-7 is ready to be looked at");
        opened = openPull(world, by, scene.repository, { title: "Read ahead (task-7)", head: "task-7", base: "main" });
      },
      missing: () => shows("pr-created"),
    },
    {
      name: `its workflow runs the plan ${PLAN} with the bundled action, as a group of ${AGENTS} agents on ${AGENTS} runners`,
      deadlineMs: PLAN_MS,
      act() {},
      missing: () => ranPlan(world, scene, pull(), { agents: AGENTS, changed: CHANGED }),
    },
    {
      name: "the quality account's label moves it to ready-for-qa",
      deadlineMs: MOVE_MS,
      act() {
        const by = asUser(scene.quality);
        narrator.because("cleo", "the plan succeeded: it may be tested");
        addLabelsByName(world, by, pull(), ["ready-for-qa"]);
      },
      missing: () => shows("ready-for-qa"),
    },
    {
      name: "the testing account's approval moves it to approved",
      deadlineMs: MOVE_MS,
      act() {
        narrator.because("tess", "tested by hand, all well");
        submitReview(world, asUser(scene.testing), pull(), { state: "APPROVED", body: "Tested by hand, all well." });
      },
      missing: () => shows("approved"),
    },
    {
      name: "all of it still holds at the end, and each move took one GraphQL request",
      deadlineMs: MOVE_MS,
      act() {},
      missing: async () => {
        const requests = parts.labelRequests();
        const cost =
          requests === STAGES.length ? [] : [`${STAGES.length} requests that put labels on (were: ${requests})`];
        return [
          ...(await shows("approved")),
          ...ranPlan(world, scene, pull(), { agents: AGENTS, changed: CHANGED }),
          ...cost,
        ];
      },
    },
  ];

  for (const step of steps) {
    try {
      const doom = parts.doomed();
      if (doom !== null) throw new WaitOver(doom);
      step.act();
      await waitFor({ missing: step.missing, doomed: parts.doomed, deadlineMs: step.deadlineMs, signal: parts.signal });
    } catch (error) {
      parts.signal.throwIfAborted();
      throw new StepFailed(step.name, error instanceof Error ? error.message : String(error), error);
    }
    parts.verified(step.name);
  }
  return pull();
}
