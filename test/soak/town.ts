/** Where a soak happens: GitHub's stand-in with several organizations, which is never killed, and its people. */
import { createSandbox, type Sandbox } from "../../src/sandbox/index.ts";
import { createOidcIssuer, ISSUER_PATH, type OidcIssuer } from "../../src/sandbox/oidc.ts";
import type { Post } from "../../src/sandbox/webhooks/sender.ts";
import {
  type Account,
  type App,
  addApp,
  addOrganization,
  addRepository,
  addUser,
  asUser,
  install,
  mintInstallationToken,
  type Repository,
  setCollaborator,
} from "../../src/sandbox/world/index.ts";
import type { Scene } from "../convergence/github.ts";
import { MANIFEST } from "../convergence/manifest.ts";
import { CI_FILES } from "../convergence/runs.ts";
import { addCi } from "../convergence/story.ts";
import { KEYS } from "../keys.ts";

export const SECRET = "a webhook secret of this soak, long enough";
export const QA = "qa.yml";

/** Comments on each move, a workflow that is started, an honest run and an approval that are asked for. */
const POLICY = `version: 1
operators: [cleo]
stages:
  - name: pr-created
    owner: rex
    enter: { draft: false }
  - name: ready-for-qa
    owner: tess
    enter: { label: { name: ready-for-qa, by: [cleo] }, checks: [build] }
    on_enter: [{ comment: "Over to {{owner}}" }, { start: ${QA} }]
    back: { when: changes_requested, to: pr-created }
    on_back: [{ comment: "Back from {{owner}}: {{reason}}" }]
  - name: approved
    gate: true
    enter: { approvals: { count: 1, by: [tess] }, workflow: ci.yml }
    on_enter: [{ comment: "Done" }]
on_push: { back_to: pr-created }
`;

const FILES = {
  "README.md": "# It\n",
  ".github/stagewright.yml": POLICY,
  ...CI_FILES,
  [`.github/workflows/${QA}`]: `name: QA
run-name: "QA (\${{ inputs.stagewright_key }})"
on:
  workflow_dispatch:
    inputs: { sha: {}, pull_request: {}, stagewright_key: {} }
jobs: { qa: { runs-on: x, steps: [{ run: ./qa.sh }] } }
`,
  ".github/workflows/group.yml":
    "on: workflow_dispatch\njobs: { train: { runs-on: x, steps: [{ run: ./train.sh }] } }\n",
};

/** A repository of one of the organizations. */
export interface Place extends Scene {
  readonly policy: string;
  /** Reads as this installation may. */
  readonly token: string;
}

export interface SoakTown {
  readonly sandbox: Sandbox;
  readonly issuer: OidcIssuer;
  readonly app: App;
  /** Writes the check run `build`. */
  readonly ci: App;
  readonly places: readonly Place[];
  /** Everybody's repositories become the app's: it has to be there by now. */
  install(): void;
}

export interface TownOptions {
  readonly organizations: number;
  /** Of each organization. */
  readonly repositories: number;
  /** Where webhooks go. */
  readonly webhooks: string;
  readonly post: Post;
  readonly report: (error: unknown) => void;
}

const LIMIT = 1_000_000_000;
/** On their way to the app at once. */
const HOOKS_AT_ONCE = 24;

export async function buildTown(options: TownOptions): Promise<SoakTown> {
  const limits = { installation: LIMIT, app: LIMIT, user: LIMIT } as never;
  const { post, report } = options;
  const sandbox = createSandbox({ limits, post, report, hooksAtOnce: HOOKS_AT_ONCE });
  const { world } = sandbox;
  const issuer = await createOidcIssuer(() => sandbox.url);
  sandbox.mount(ISSUER_PATH, (request) => issuer.handle(request));
  await sandbox.listen();
  const members = ["rex", "cleo", "tess"].map((name) => addUser(world, name));
  const mallory = addUser(world, "mallory");
  const [first, ...others] = Array.from({ length: options.organizations }, (_, nth) =>
    addOrganization(world, `acme-${nth}`),
  );
  if (first === undefined) throw new Error("expected an organization");
  const webhook = { url: options.webhooks, secret: SECRET };
  const app = addApp(world, { ...MANIFEST, slug: "stagewright", owner: first, webhook, keys: KEYS });
  const homes = [first, ...others].map((owner) => ({
    owner,
    repositories: Array.from({ length: options.repositories }, (_, nth) => {
      const repository = addRepository(world, asUser(owner), { owner, name: `soak-${nth}`, files: FILES });
      for (const person of members) {
        setCollaborator(world, asUser(owner), repository, person, person.login === "cleo" ? "maintain" : "write");
      }
      return repository;
    }),
  }));
  const ci = addCi(world, first, homes[0]?.repositories ?? []);
  const places: Place[] = [];
  const placeOf = (owner: Account, repository: Repository, token: string): Place => {
    const [rex, cleo, tess] = members as [Account, Account, Account];
    return { sandbox, app, repository, people: { owner, rex, cleo, tess, mallory }, policy: POLICY, token };
  };
  return {
    ...{ sandbox, issuer, app, ci, places },
    install: () => {
      for (const { owner, repositories } of homes) {
        const installation = install(world, asUser(owner), { app, account: owner, repositories });
        const { token } = mintInstallationToken(world, installation);
        places.push(...repositories.map((repository) => placeOf(owner, repository, token)));
        if (owner !== first) install(world, asUser(owner), { app: ci, account: owner, repositories });
      }
    },
  };
}
