/** Repositories. */
import { type Kysely, type Selectable, sql } from "kysely";
import { inTransaction } from "../database/transaction.ts";
import type { InstallationId, Repository, Store } from "../model.ts";
import type { Tables } from "../schema.ts";
import { takeEffectsAlong } from "./effects.ts";

type Part = Pick<Store, "repository" | "repositoryByName" | "repositories" | "installedRepositories" | "putRepository">;

/** Ids of an installation's repositories, for what is to be done to their rows. */
export function repositoriesOf(db: Kysely<Tables>, installationId: InstallationId) {
  return db
    .selectFrom("repositories")
    .select("repositories.id")
    .where("repositories.installation_id", installationId === null ? "is" : "=", installationId);
}

export function repositoryStore(db: Kysely<Tables>): Part {
  return {
    async repository(id) {
      const row = await db.selectFrom("repositories").selectAll().where("id", "=", id).executeTakeFirst();
      return row === undefined ? null : repositoryOf(row);
    },
    async repositoryByName(owner, name) {
      const row = await db
        .selectFrom("repositories")
        .selectAll()
        .where("full_name", "=", `${owner}/${name}`.toLowerCase())
        .executeTakeFirst();
      return row === undefined ? null : repositoryOf(row);
    },
    async repositories(installationId) {
      const rows = await db
        .selectFrom("repositories")
        .selectAll()
        .where("installation_id", "=", installationId)
        .orderBy("id")
        .execute();
      return rows.map(repositoryOf);
    },
    async installedRepositories(limit, after = 0) {
      const rows = await db
        .selectFrom("repositories")
        .selectAll()
        .where("installation_id", "is not", null)
        .where("id", ">", after)
        .orderBy("id")
        .limit(limit)
        .execute();
      return rows.map(repositoryOf);
    },
    async putRepository(each) {
      await inTransaction(db, (transaction) => putRepository(transaction, each));
    },
  };
}

export function repositoryOf(row: Selectable<Tables["repositories"]>): Repository {
  return {
    id: row.id,
    nodeId: row.node_id,
    installationId: row.installation_id,
    owner: row.owner,
    name: row.name,
    defaultBranch: row.default_branch,
    private: row.private === 1,
  };
}

export async function putRepository(
  db: Kysely<Tables>,
  repository: Parameters<Store["putRepository"]>[0],
): Promise<void> {
  const values = {
    node_id: repository.nodeId,
    installation_id: repository.installationId,
    owner: repository.owner,
    name: repository.name,
    full_name: `${repository.owner}/${repository.name}`.toLowerCase(),
    default_branch: repository.defaultBranch,
    private: repository.private ? 1 : 0,
  };
  await db
    .insertInto("repositories")
    .values({ id: repository.id, ...values })
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet({ ...values, sweep_at: sweptWhereItWas(values.installation_id) }),
    )
    .execute();
  if (repository.installationId !== null) {
    await takeAlong(db, repository.id, repository.installationId);
  }
}

/** What happened while another installation, or none, had it is nowhere but on GitHub: then it is swept at once. */
function sweptWhereItWas(installationId: number | null) {
  const same = installationId === null ? sql`is null` : sql`= ${installationId}`;
  return sql<number>`case when repositories.installation_id ${same} then repositories.sweep_at else 0 end`;
}

/** What is to be done for the repository's pull requests goes out through the installation that it has now. */
async function takeAlong(db: Kysely<Tables>, repositoryId: number, installationId: number): Promise<void> {
  await db
    .updateTable("pulls")
    .set((eb) => ({ installation_id: installationId, version: eb("version", "+", 1) }))
    .where("repository_id", "=", repositoryId)
    .where("installation_id", "!=", installationId)
    .execute();
  await takeEffectsAlong(db, repositoryId, installationId);
}
