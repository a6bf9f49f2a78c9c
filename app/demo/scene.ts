/** Who and what is there before the demo begins: people, a repository with a plan and a workflow, the installed app. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import {
  type AccessLevel,
  type Account,
  type App,
  account,
  addApp,
  addOrganization,
  addRepository,
  addUser,
  asUser,
  type FileEdits,
  install,
  type Repository,
  setCollaborator,
  type World,
} from "../../src/sandbox/world/index.ts";

export interface Scene {
  readonly repository: Repository;
  readonly app: App;
  /** Writes the code. */
  readonly author: Account;
  /** Says with the label that it may be tested. */
  readonly quality: Account;
  /** Approves. */
  readonly testing: Account;
}

const OWNER = "acme";
/** The example that the demo's job runs. */
export const PLAN = "examples/multi-epoch.yml";
const PLAN_SCRIPTS = "examples/multi-epoch";

/** How many agents go through the plan together, each a job of the matrix on a runner of its own. */
export const AGENTS = 3;

const WORKFLOW = `name: train
on: pull_request
permissions: { contents: read, actions: read, checks: write, id-token: write }
jobs:
  train:
    runs-on: [self-hosted, linux]
    timeout-minutes: 10
    strategy:
      fail-fast: false
      matrix: { index: [${Array.from({ length: AGENTS }, (_, at) => at).join(", ")}] }
    steps:
      - uses: actions/checkout@v5
      - name: Look at the change
        run: echo "::notice file=src/reader.txt,line=1,title=Reader::The reader has $(wc -l < src/reader.txt) line(s)"
      - id: plan
        uses: stagewright/stagewright@v1
        with: { plan: ${PLAN}, coordinator: leader, listen: "127.0.0.1:0" }
      - run: echo "The plan said \${{ steps.plan.outputs.result }}"
`;

const manifest = z.object({
  default_permissions: z.record(z.string(), z.enum(["read", "write", "admin"])),
  default_events: z.array(z.string()),
});

/** The permissions and events that the app's manifest asks for: the demo grants exactly those. */
async function readManifest(
  root: string,
): Promise<{ readonly permissions: Readonly<Record<string, AccessLevel>>; readonly events: readonly string[] }> {
  const read = manifest.parse(parse(await readFile(join(root, "app", "app.yml"), "utf8")));
  return { permissions: read.default_permissions, events: read.default_events };
}

/** The file that the pull request changes and the notice points at. */
export const CHANGED = "src/reader.txt";

/** Makes the app, as its owner does with the manifest. `webhook`: where it will listen. */
export async function registerApp(
  world: World,
  root: string,
  webhook: { readonly url: string; readonly secret: string },
): Promise<App> {
  const { permissions, events } = await readManifest(root);
  const owner = addOrganization(world, OWNER);
  return addApp(world, { slug: "stagewright", name: "Stagewright", owner, permissions, events, webhook });
}

/** People, a repository with the plan and a workflow, and the app installed on it. */
export async function setScene(world: World, root: string, app: App): Promise<Scene> {
  const owner = account(world, app.ownerId);
  const [author, quality, testing] = [addUser(world, "rex"), addUser(world, "cleo"), addUser(world, "tess")];
  const files: Record<string, FileEdits[string]> = {
    "README.md": "# trainer\n",
    [CHANGED]: "read one object after the other\n",
    ".github/workflows/train.yml": WORKFLOW,
    [PLAN]: await readFile(join(root, PLAN)),
  };
  for (const name of await readdir(join(root, PLAN_SCRIPTS))) {
    const content = await readFile(join(root, PLAN_SCRIPTS, name));
    files[`${PLAN_SCRIPTS}/${name}`] = { content, executable: true };
  }
  const repository = addRepository(world, asUser(owner), { owner, name: "trainer", files });
  for (const person of [author, quality, testing]) setCollaborator(world, asUser(owner), repository, person, "write");
  install(world, asUser(owner), { app, account: owner, repositories: [repository] });
  return { repository, app, author, quality, testing };
}
