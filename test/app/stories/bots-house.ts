/** A house in which three bots work on pull requests, with runners that run the repository's workflows for real. */
import { startActions } from "../../../src/sandbox/workflows/start.ts";
import {
  type Actor,
  addApp,
  addLabelsByName,
  addProtectionRule,
  asApp,
  asUser,
  commitFiles,
  createStatus,
  install,
  openPull,
  type PullRequest,
  protectBranch,
  type ReviewState,
  submitReview,
  type WorkflowRun,
} from "../../../src/sandbox/world/index.ts";
import { KEYS } from "../../keys.ts";
import { type House, openHouse } from "../house.ts";

export interface BotsHouse extends House {
  /** `rex[bot]` writes, `cleo[bot]` hands over, `tess[bot]` tests. */
  readonly bots: { readonly rex: Actor; readonly cleo: Actor; readonly tess: Actor };
  /** By rex[bot], from the branch `task-7`. */
  openTask(files: Readonly<Record<string, string>>): PullRequest;
  commit(pull: PullRequest, by: Actor, files: Readonly<Record<string, string>>): void;
  label(pull: PullRequest, name: string, by: Actor): void;
  review(pull: PullRequest, state: Exclude<ReviewState, "DISMISSED">, by: Actor, sha?: string): void;
  /** The check `build` of the head commit. */
  build(pull: PullRequest, state: "success" | "failure" | "pending"): void;
  /** Runs of QA, oldest first. */
  runs(): WorkflowRun[];
  /** What the app wrote on it, oldest first, without markers. */
  said(pull: PullRequest): string[];
  /** `from -> to (actor)`. */
  moves(pull: PullRequest): Promise<string[]>;
  /** Waits until it is shown in this stage and nothing is on its way. */
  comesTo(pull: PullRequest, stage: string): Promise<void>;
}

/** Cancelled processes get these instead of GitHub's seconds. */
const CANCEL_TIMES = { interruptMs: 300, terminateMs: 200, drainMs: 300 };

export async function openBotsHouse(files: Readonly<Record<string, string>>): Promise<BotsHouse> {
  const house = await openHouse({ files, manifest: "app-full.yml" });
  const { world } = house.sandbox;
  const faults: unknown[] = [];
  const actions = await startActions(house.sandbox, {
    root: ".",
    runners: 2,
    oidc: false,
    cancelTimes: CANCEL_TIMES,
    report: (error) => faults.push(error),
  });
  const bot = (slug: string): Actor => {
    const app = addApp(world, {
      keys: KEYS,
      slug,
      owner: house.owner,
      permissions: { contents: "write", pull_requests: "write", checks: "write" },
      events: [],
    });
    install(world, asUser(house.owner), { app, account: house.owner, repositories: [house.repository] });
    return asApp(world, app);
  };
  const bots = { rex: bot("rex"), cleo: bot("cleo"), tess: bot("tess") };
  addProtectionRule(world, house.repository, "qa", house.registered);
  protectBranch(house.repository, "main", {
    requiredChecks: [{ context: "stagewright / approved", appId: house.registered.id }],
    requiredApprovals: 0,
  });
  const opened: BotsHouse = {
    ...house,
    bots,
    openTask: (content) => {
      const branch = { branch: "task-7", message: "Begin", files: content };
      commitFiles(world, bots.rex, house.repository, branch);
      return openPull(world, bots.rex, house.repository, { title: "Add a gadget", head: "task-7", base: "main" });
    },
    commit: (pull, by, content) => {
      commitFiles(world, by, house.repository, { branch: pull.head.ref, message: "Change", files: content });
    },
    label: (pull, name, by) => addLabelsByName(world, by, pull, [name]),
    review: (pull, state, by, sha) => {
      submitReview(world, by, pull, { state, body: "so", ...(sha === undefined ? {} : { commitSha: sha }) });
    },
    build: (pull, state) => {
      createStatus(world, asUser(house.rex), house.repository, pull.head.sha, { state, context: "build" });
    },
    runs: () => [...world.runs.values()].filter((run) => run.path === ".github/workflows/qa.yml"),
    said: (pull) =>
      pull.comments
        .filter((comment) => comment.appId === house.registered.id)
        .map((comment) => comment.body.replace(/<!--.*-->\n/u, "")),
    moves: async (pull) =>
      (await house.history(pull))
        .filter((line) => line.kind === "moved")
        .map((line) => `${line.from ?? "-"} -> ${line.to ?? "-"} (${line.actor?.login ?? "nobody"})`),
    comesTo: async (pull, stage) => {
      await house.until(`it is in ${stage}`, async () => {
        const row = await house.row(pull);
        const quiet =
          row !== null && row.intent === null && (row.reevaluateAt === null || row.reevaluateAt > Date.now());
        return quiet && row.confirmed?.stage === stage && house.stageLabels(pull).join() === `stage/${stage}`;
      });
      await house.settled();
    },
    close: async () => {
      await actions.close(1_000);
      await house.close();
      if (faults.length > 0) {
        throw new AggregateError(faults, "The runners had faults of their own.");
      }
    },
  };
  return opened;
}
