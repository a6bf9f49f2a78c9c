/**
 * `npm run soak -- --pulls 1000 --runs 20 --kills 100`: a crash test with real processes (`soak.ts`). Prints
 * the figures; exit 1 when something was lost, doubled or is not as it must be, and then its logs and database are kept.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import bundlePrograms from "../programs.ts";
import { SOAK_DATABASES, type SoakDatabaseKind } from "./database.ts";
import { type SoakReport, soak } from "./soak.ts";

const USAGE =
  "npm run soak -- [--pulls 100] [--runs 4] [--kills 10] [--minutes N] [--seed 1] [--freeze COUNT] [--db-restarts COUNT] [--database sqlite|postgres] [--replicas N] [--plant]";
const MINUTE = 60_000;
/** As much as two cores bear with everything else of it; `--minutes` when it is not told. */
const PULLS_A_MINUTE = 90;
const KILLS_A_MINUTE = 9;
const AGENTS = 8;
const STEP_SECONDS = 5;
/** Longer than a lease of a replica. */
const FREEZE_MS = 15_000;
/** Webhooks that were lost are found, what is put off comes to its turn. */
const PATIENCE_MS = 5 * MINUTE;
/** Longer than anything is put off, where people's permissions, blocked moves and redeliveries have their turns. */
const STILLNESS_MS = 2 * MINUTE;
const ORGANIZATIONS = 8;

interface Asked {
  readonly pulls: number;
  readonly runs: number;
  readonly kills: number;
  readonly minutes: number;
  readonly seed: number;
  readonly freezes: number;
  readonly restarts: number;
  readonly database: SoakDatabaseKind;
  readonly replicas: number;
  readonly plant: boolean;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = read();
  if (asked === null) {
    console.error(USAGE);
    return 2;
  }
  const began = performance.now();
  const say = (line: string): void =>
    console.log(`${((performance.now() - began) / 1_000).toFixed(0).padStart(5)} s  ${line}`);
  const end = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => end.abort());
  const within = asked.minutes * MINUTE;
  const late = setTimeout(() => end.abort(), 2 * within + PATIENCE_MS + 5 * MINUTE);
  const removeBundles = await bundlePrograms();
  const directory = mkdtempSync(join(tmpdir(), "stagewright-soak-"));
  let well = false;
  try {
    const report = await soak(
      {
        ...asked,
        ...{ within, directory, agents: AGENTS, stepSeconds: STEP_SECONDS, freezeMs: FREEZE_MS },
        ...{
          patience: PATIENCE_MS,
          stillness: STILLNESS_MS,
          faults: true,
          readyFirst: false,
          redeliver: false,
          organizations: ORGANIZATIONS,
          signal: end.signal,
        },
      },
      say,
    );
    tell(asked, report);
    const { own, others } = processorSeconds();
    say(`done; ${own.toFixed(0)} s of processor time here, ${others.toFixed(0)} s in the app, agents and the database`);
    writeFileSync(join(directory, "report.json"), JSON.stringify(report, null, 2));
    well = report.violations.length === 0 && report.planted.length === 0;
  } catch (error) {
    console.error(error);
  } finally {
    clearTimeout(late);
    removeBundles();
    if (well) rmSync(directory, { recursive: true, force: true });
    else console.log(`logs and database are kept in ${directory}`);
  }
  return well ? 0 : 1;
}

function read(): Asked | null {
  const option = (value: string) => ({ type: "string", default: value }) as const;
  try {
    const { values } = parseArgs({
      options: {
        ...{
          pulls: option("100"),
          runs: option("4"),
          kills: option("10"),
          minutes: { type: "string" },
          seed: option("1"),
        },
        ...{ freeze: option("0"), "db-restarts": option("0"), database: option("sqlite"), replicas: option("1") },
        plant: { type: "boolean", default: false },
      },
    });
    const whole = (text: string): number => {
      const number = Number(text);
      if (!Number.isInteger(number) || number < 0 || number > 100_000) throw new Error(`${text} is no such number`);
      return number;
    };
    const [pulls, kills] = [whole(values.pulls), whole(values.kills)];
    const minutes = Number(values.minutes ?? Math.max(1, pulls / PULLS_A_MINUTE, kills / KILLS_A_MINUTE));
    if (!(minutes > 0 && minutes <= 600)) throw new Error("minutes");
    const database = SOAK_DATABASES.find((each) => each === values.database);
    const replicas = whole(values.replicas);
    if (database === undefined || replicas < 1 || replicas > 9) throw new Error("database and replicas");
    if (database === "sqlite" && replicas > 1) throw new Error("a file is one process's");
    return {
      ...{ pulls, runs: whole(values.runs), kills, minutes },
      ...{ seed: whole(values.seed), freezes: whole(values.freeze), restarts: whole(values["db-restarts"]) },
      ...{ database, replicas, plant: values.plant },
    };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return null;
  }
}

/** Of this process, and of those that it started and that have ended. */
function processorSeconds(): { readonly own: number; readonly others: number } {
  // From the third field of proc(5) on: user and system time are the 14th to the 17th, in hundredths of a second.
  const fields = readFileSync("/proc/self/stat", "utf8")
    .replace(/^.*\) /u, "")
    .split(" ")
    .map(Number);
  const [user = 0, system = 0, othersUser = 0, othersSystem = 0] = fields.slice(11, 15);
  return { own: (user + system) / 100, others: (othersUser + othersSystem) / 100 };
}

function tell({ runs, database, replicas }: Asked, report: SoakReport): void {
  const {
    violations,
    planted,
    takeovers,
    chaos,
    webhooks,
    acts,
    pulls,
    started,
    requests,
    faults,
    settled,
    memory,
    disk,
  } = report;
  const about = (what: string): number => violations.filter((each) => each.includes(what)).length;
  for (const violation of violations) console.log(violation);
  for (const fault of planted) console.log(`placed and found: ${fault}`);
  console.log(`${database}, ${replicas} ${replicas === 1 ? "process" : "processes"}`);
  console.log(`${pulls} pull requests, ${acts} acts, ${runs} runs of ${AGENTS} agents, ${started} started workflows`);
  console.log(
    `${webhooks.deliveries} deliveries in ${webhooks.attempts} attempts (${webhooks.refused} not taken, ${webhooks.lost} lost, ${webhooks.doubled} doubled, ${webhooks.late} late); ${requests} requests to GitHub, ${faults} faults placed`,
  );
  console.log(
    `${chaos.kills} kills, ${chaos.freezes} freezes, ${chaos.restarts} restarts of the database; ${takeovers} takeovers`,
  );
  console.log(
    `right ${settled} s after the last act; memory of one process at most ${memory.peak.toFixed(0)} MiB, at the end ${memory.end.map((each) => each.toFixed(0)).join(", ")} MiB; database ${disk.toFixed(1)} MiB`,
  );
  console.log(`lost: ${about("lost: ")}, doubled: ${about("doubled: ")}, violations: ${violations.length}`);
}
