/** `stagewright db`: copies of the app's database, made, put back and checked. Runs where the app runs. */
import { ConfigError, readSettings } from "../config.ts";
import { readDotEnv } from "../settings/dot-env.ts";
import {
  BackupFailed,
  backUpDatabase,
  type CheckedDatabase,
  checkDatabase,
  restoreDatabase,
} from "../store/database/backup.ts";
import { OpenToOthers } from "../store/database/private-files.ts";
import { DatabaseInUse } from "../store/database/process-lock.ts";
import { DatabaseUrlError, DEFAULT_DATABASE_URL, isPostgresUrl, sqliteFile } from "../store/open.ts";

const BAD_USAGE = 2;
const FAILED = 1;
const HELP = `Usage: stagewright db backup FILE
       stagewright db restore FILE
       stagewright db check [FILE]

Copies the app's SQLite database, which DATABASE_URL names (in the environment or in \`.env\`; default: ${DEFAULT_DATABASE_URL}).

  backup FILE   writes a copy of one moment and reads it through; the app may run meanwhile
  restore FILE  puts a copy in the database's place, while the app does not run; what was there is kept beside it
  check [FILE]  reads all of the database, or of a copy: whether it is whole, and whether this version can go on with it

Exit codes: 0 done; 1 not done, or something is wrong with the database; 2 bad usage.
`;
/** What there is to do for PostgreSQL, which has its own tools. */
const POSTGRES = {
  backup: 'pg_dump --format=custom --file=FILE "$DATABASE_URL"',
  restore:
    'pg_restore --clean --if-exists --single-transaction --dbname="$DATABASE_URL" FILE   (while no replica runs)',
  check: 'pg_amcheck "$DATABASE_URL"',
} as const;

class BadUsage extends Error {}

async function main(words: readonly string[]): Promise<number> {
  const [what, file, ...more] = words;
  if (words.length === 0 || words.some((word) => word === "--help" || word === "-h")) {
    process.stdout.write(HELP);
    return words.length === 0 ? BAD_USAGE : 0;
  }
  if (what !== "backup" && what !== "restore" && what !== "check") {
    throw new BadUsage(`unknown command ${JSON.stringify(what)}: expected backup, restore or check`);
  }
  if (more.length > 0 || file?.startsWith("-") === true) {
    throw new BadUsage(`unknown argument ${JSON.stringify(more[0] ?? file)}`);
  }
  if (file === undefined && what !== "check") {
    throw new BadUsage(`${what}: expected a file`);
  }
  const url = readSettings({ ...readDotEnv(".env"), ...process.env }).DATABASE_URL ?? DEFAULT_DATABASE_URL;
  if (isPostgresUrl(url)) {
    throw new BadUsage(`DATABASE_URL is a PostgreSQL database, which has its own tools:\n  ${POSTGRES[what]}`);
  }
  switch (what) {
    case "backup":
      say(await backUpDatabase(url, file ?? ""), "written");
      return 0;
    case "restore": {
      const { found, before } = await restoreDatabase(url, file ?? "", Date.now());
      say({ ...found, path: sqliteFile(url) }, `restored from ${file}`);
      process.stdout.write(before === null ? "" : `what was there before is ${before}: delete it when all is well\n`);
      return 0;
    }
    case "check": {
      const found = checkDatabase(file ?? sqliteFile(url));
      for (const problem of found.problems) {
        process.stdout.write(`${found.path}: ${problem}\n`);
      }
      if (found.problems.length === 0) {
        say(found, "whole");
      }
      return found.problems.length === 0 ? 0 : FAILED;
    }
  }
}

function say({ path, migration }: CheckedDatabase, did: string): void {
  process.stdout.write(`${path}: ${did}; brought up to ${migration}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const told = error instanceof Error ? error.message : String(error);
  process.stderr.write(`stagewright: ${told.replaceAll("\n", "\nstagewright: ")}\n`);
  const usage = [BadUsage, ConfigError, DatabaseUrlError].some((kind) => error instanceof kind);
  const expected = [BackupFailed, DatabaseInUse, OpenToOthers].some((kind) => error instanceof kind);
  if (!usage && !expected && error instanceof Error && !("code" in error)) {
    process.stderr.write(`${error.stack}\n`);
  }
  process.exitCode = usage ? BAD_USAGE : FAILED;
}
