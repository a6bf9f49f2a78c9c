/**
 * A database as the version before migration 0012 left it, in the middle of everything: pull requests in each stage, on
 * hold, blocked, on their way; a delivery that came when the app had stopped; an effect that waits, some that were given
 * up; workflow runs, a job that waits, a repository on hold, a group that assembles.
 *
 * `database.sql` is a dump of what commit 6085d35 wrote, driven by its own tests' house (`test/app/house.ts` there).
 */
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import {
  addLabelsByName,
  asApp,
  asUser,
  commitFiles,
  createCheckRun,
  mergePull,
  openPull,
  type PullRequest,
  removeLabelByName,
  required,
  submitReview,
} from "../../../../src/sandbox/world/index.ts";
import type { HouseOptions } from "../../house.ts";

export const WRITTEN = readFileSync(new URL("database.sql", import.meta.url), "utf8");
/** The last thing that happened before that version stopped. */
export const STOPPED_AT = 1_796_074_660_000;
export function writeDatabase(file: string, text = WRITTEN): void {
  const database = new DatabaseSync(file);
  database.exec(`begin; ${text} commit;`);
  database.close();
}

/** Rows as they were written, each with the columns of then. */
export function rowsOf(table: string, order = "rowid"): Record<string, unknown>[] {
  const database = new DatabaseSync(":memory:");
  database.exec(WRITTEN);
  const rows = database.prepare(`select * from "${table}" order by ${order}`).all();
  database.close();
  return rows;
}

const act = z.object({
  kind: z.string(),
  at: z.number(),
  label: z.string().optional(),
  by: z.object({ login: z.string() }),
});
const named = z.object({ name: z.string(), nodeId: z.string() });
const check = named.extend({ seen: z.string(), sha: z.string(), completed: z.boolean() });
const shown = z.object({ labels: z.array(named), checks: z.array(check) });
const conclusions = z.enum(["success", "skipped"]);
const statuses = z.enum(["queued", "in_progress"]);
const known = z.object({ title: z.string(), acts: z.array(act) });

/**
 * GitHub as it was then, but for check runs, comments and workflow runs. Writes the database to `file`, with the names
 * that the commits have here. `at` sets the clock.
 */
export function githubOfThen(file: string, at: (ms: number) => void): NonNullable<HouseOptions["before"]> {
  return ({ sandbox: { world }, repository, registered, owner, rex, cleo, tess }) => {
    // The app was installed anew then, when the second repository was made.
    const text = WRITTEN.replaceAll("6228002", "6228001");
    /** What commits, labels and check runs were called then, and what they are here. */
    const names = new Map<string, string>();
    const rows = rowsOf("pulls", "number").filter((row) => row.repository_id === repository.id);
    const acts = rows.flatMap((row) => {
      const { title, acts } = known.parse(JSON.parse(String(row.facts_json)));
      return acts.map((each) => ({ ...each, title, number: Number(row.number), sha: String(row.head_sha) }));
    });
    const actors = new Map([rex, cleo, tess].map((person) => [person.login, asUser(person)]));
    for (const { kind, by, label = "", at: when, ...pull } of acts.sort((a, b) => a.at - b.at)) {
      at(when);
      const actor = actors.get(by.login) ?? asApp(world, registered);
      const opened = (): PullRequest => required(repository.pulls.get(pull.number));
      switch (kind) {
        case "opened": {
          const head = `gadget-${pull.number}`;
          const files = { [`${head}.txt`]: "gadget\n" };
          commitFiles(world, actor, repository, { branch: head, message: "Add", files });
          openPull(world, actor, repository, { title: pull.title, head, base: "main", draft: false });
          names.set(pull.sha, opened().head.sha);
          break;
        }
        case "labeled":
          addLabelsByName(world, actor, opened(), [label]);
          break;
        case "unlabeled":
          removeLabelByName(world, actor, opened(), label);
          break;
        case "review":
          submitReview(world, actor, opened(), { state: "APPROVED" });
          break;
        case "closed":
          mergePull(world, asUser(owner), opened(), { method: "squash" });
          break;
      }
    }
    for (const row of rows) {
      const { labels, checks } = shown.parse(JSON.parse(String(row.shown_json)));
      for (const { name, nodeId } of labels) {
        names.set(nodeId, required([...repository.labels.values()].find((label) => label.name === name)).nodeId);
      }
      for (const { name, nodeId, seen, sha, completed } of checks) {
        const [status = "", title = ""] = seen.split(": ", 2);
        const run = createCheckRun(world, asApp(world, registered), {
          ...{ repository, app: registered, name, headSha: names.get(sha) ?? sha },
          ...{ externalId: `stagewright:${row.number}:${name}`, output: { title, summary: title } },
          ...(completed ? { conclusion: conclusions.parse(status) } : { status: statuses.parse(status) }),
        });
        names.set(nodeId, run.nodeId);
      }
    }
    at(STOPPED_AT);
    submitReview(world, asUser(tess), required(repository.pulls.get(2)), { state: "APPROVED" });
    at(STOPPED_AT + 60_000);
    writeDatabase(
      file,
      text.replace(/\b[0-9a-f]{40}\b|\b(?:LA|CR)_\w+/gu, (name) => names.get(name) ?? name),
    );
  };
}
