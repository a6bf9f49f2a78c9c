/** What a sandbox has from the start, as a JSON file says it. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { z } from "zod";
import * as w from "./world/index.ts";

const permission = z.enum(["none", "read", "triage", "write", "maintain", "admin"]);
const login = z.string().regex(/^[\w-]+$/, "letters, digits, _ and - only");
const content = z.union([z.string(), z.strictObject({ content: z.string(), executable: z.boolean().default(false) })]);
const files = z.record(z.string(), content).default({});

const repository = z.strictObject({
  /** `owner/name` */
  name: z.string().regex(/^[\w-]+\/[\w.-]+$/, "owner/name"),
  private: z.boolean().default(false),
  description: z.string().optional(),
  default_branch: z.string().default("main"),
  files,
  /** A folder, relative to the seed file, whose files are added to `files`. */
  directory: z.string().optional(),
  branches: z
    .array(z.strictObject({ name: z.string(), files, message: z.string().default("Change"), by: login }))
    .default([]),
  collaborators: z.record(login, permission).default({}),
  teams: z.record(z.string(), permission).default({}),
  labels: z
    .array(
      z.strictObject({ name: z.string(), color: z.string().default("ededed"), description: z.string().default("") }),
    )
    .default([]),
  protection: z
    .record(
      z.string(),
      z.strictObject({ checks: z.array(z.string()).default([]), approvals: z.number().int().min(0).default(0) }),
    )
    .default({}),
  /** Environment -> the apps (slugs) that hold its jobs. */
  environments: z.record(z.string(), z.array(z.string())).default({}),
  pulls: z
    .array(
      z.strictObject({
        title: z.string(),
        body: z.string().default(""),
        head: z.string(),
        base: z.string().optional(),
        by: login,
        draft: z.boolean().default(false),
        labels: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});

const app = z.strictObject({
  slug: login,
  name: z.string().optional(),
  owner: login,
  permissions: z.record(z.string(), z.enum(["read", "write", "admin"])),
  events: z.array(z.string()).default([]),
  webhook: z.strictObject({ url: z.url(), secret: z.string().min(1) }).optional(),
  /** Owners on all of whose repositories it is installed. */
  installed_on: z.array(login).default([]),
});

export const seedSchema = z.strictObject({
  users: z.array(z.strictObject({ login, name: z.string().optional(), email: z.string().optional() })).default([]),
  organizations: z
    .array(
      z.strictObject({
        login,
        name: z.string().optional(),
        members: z.record(login, z.enum(["member", "admin"])).default({}),
        /** Team slug -> members. */
        teams: z.record(z.string(), z.array(login)).default({}),
      }),
    )
    .default([]),
  apps: z.array(app).default([]),
  repositories: z.array(repository).default([]),
});

export type Seed = z.infer<typeof seedSchema>;

/** A folder's files beyond that are no seed. */
const folderLimit = 64 * 1024 * 1024;

/** @throws Error that names what is missing or refused */
export async function plant(world: w.World, seed: Seed, folder: string): Promise<void> {
  const find = (name: string): w.Account => w.required(w.accountByLogin(world, name), `nobody is called ${name}`);
  for (const { login: name, ...extra } of seed.users) w.addUser(world, name, given(extra));
  for (const one of seed.organizations) {
    const organization = w.addOrganization(world, one.login, given({ name: one.name }));
    for (const [member, role] of Object.entries(one.members))
      w.addOrganizationMember(world, organization, find(member), role);
    for (const [slug, members] of Object.entries(one.teams)) {
      const team = w.addTeam(world, w.asUser(organization), organization, slug);
      for (const member of members) w.addTeamMember(world, w.asUser(organization), team, find(member));
    }
  }
  for (const one of seed.apps) {
    const { permissions, events, slug, name, webhook } = one;
    const made = w.addApp(world, { slug, owner: find(one.owner), permissions, events, ...given({ name, webhook }) });
    for (const owner of one.installed_on)
      w.install(world, w.asUser(find(one.owner)), { app: made, account: find(owner), repositories: "all" });
  }
  for (const one of seed.repositories) await plantRepository(world, one, folder, find);
}

async function plantRepository(
  world: w.World,
  one: Seed["repositories"][number],
  folder: string,
  find: (name: string) => w.Account,
): Promise<void> {
  const [ownerLogin = "", name = ""] = one.name.split("/");
  const owner = find(ownerLogin);
  const by = w.asUser(owner);
  const read = one.directory === undefined ? {} : await readFolder(resolve(folder, one.directory));
  const repo = w.addRepository(world, by, {
    owner,
    name,
    private: one.private,
    defaultBranch: one.default_branch,
    files: { ...read, ...one.files },
    ...given({ description: one.description }),
  });
  for (const [member, level] of Object.entries(one.collaborators))
    w.setCollaborator(world, by, repo, find(member), level);
  for (const [slug, level] of Object.entries(one.teams))
    repo.teams.set(w.required(w.teamBySlug(world, ownerLogin, slug), `no team ${slug}`).id, level);
  for (const label of one.labels) w.createLabel(world, by, repo, label);
  for (const [branch, rule] of Object.entries(one.protection)) {
    w.protectBranch(repo, branch, {
      requiredChecks: rule.checks.map((context) => ({ context, appId: null })),
      requiredApprovals: rule.approvals,
    });
  }
  for (const [environment, slugs] of Object.entries(one.environments)) {
    w.environment(world, repo, environment);
    for (const slug of slugs) {
      const guard = w.required(
        [...world.apps.values()].find((candidate) => candidate.slug === slug),
        `no app ${slug}`,
      );
      w.addProtectionRule(world, repo, environment, guard);
    }
  }
  for (const branch of one.branches) {
    w.commitFiles(world, w.asUser(find(branch.by)), repo, {
      branch: branch.name,
      message: branch.message,
      files: branch.files,
    });
  }
  for (const { by: author, labels, base = one.default_branch, ...pull } of one.pulls) {
    const opened = w.openPull(world, w.asUser(find(author)), repo, { ...pull, base });
    if (labels.length > 0) w.addLabelsByName(world, w.asUser(find(author)), opened, labels);
  }
}

/** All files of a folder but git's own, with their executable bits. */
async function readFolder(root: string): Promise<w.FileEdits> {
  const found: Record<string, { content: Buffer; executable: boolean }> = {};
  let size = 0;
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(root, path).split(sep).join("/");
    if (!entry.isFile() || name.split("/").some((part) => part === ".git" || part === "node_modules")) continue;
    const { mode, size: bytes } = await stat(path);
    size += bytes;
    if (size > folderLimit) throw new Error(`${root} holds more than ${folderLimit} bytes`);
    found[name] = { content: await readFile(path), executable: (mode & 0o100) !== 0 };
  }
  return found;
}

function given<T extends object>(fields: T): { [K in keyof T]: NonNullable<T[K]> } | Record<never, never> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}
