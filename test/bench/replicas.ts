/** One, two and three replicas on one PostgreSQL: what a delivery costs the database, and how many are handled a second. */
import pg from "pg";
import { addLabelsByName, asUser } from "../../src/sandbox/world/index.ts";
import { type Postgres, startPostgres } from "../postgres/postgres.ts";
import { appBeside } from "./app-beside.ts";
import type { Bench } from "./bench.ts";

const REPLICAS = [1, 2, 3] as const;
const INSTALLATIONS = 20;
const PULLS_EACH = 5;
const EVENTS = 1_500;
const SAMPLE_MS = 10;

interface Figures {
  readonly rate: number;
  /** Transactions of the database for each delivery. */
  readonly transactions: number;
  /** Shares of the samples in which somebody waited for a lock. */
  readonly waits: number;
  readonly deadlocks: number;
}

export const bench: Bench = {
  what: `${EVENTS.toLocaleString("en")} events over ${INSTALLATIONS} installations on one, two and three replicas`,
  async *run() {
    const postgres = await startPostgres({ durable: true });
    try {
      let one: Figures | null = null;
      for (const replicas of REPLICAS) {
        const figures = await measure(postgres, replicas);
        one ??= figures;
        const { rate, transactions, waits, deadlocks } = figures;
        yield `${replicas}: ${rate.toFixed(0)} deliveries/s, ratio to one ${(rate / one.rate).toFixed(2)} (aim ≥ 0.9) | ${transactions.toFixed(1)} transactions a delivery, ratio ${(transactions / one.transactions).toFixed(2)} (aim 1) | waiting for locks in ${(waits * 100).toFixed(1)} % of the samples, ${deadlocks} deadlocks`;
      }
    } finally {
      await postgres.close();
    }
  },
};

async function measure(postgres: Postgres, replicas: number): Promise<Figures> {
  const url = await postgres.database();
  const beside = await appBeside(INSTALLATIONS, PULLS_EACH, url, replicas);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let [samples, waiting] = [0, 0];
  const sampler = setInterval(() => {
    const waits = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    void client.query(waits).then(({ rowCount }) => {
      samples += 1;
      waiting += rowCount === 0 ? 0 : 1;
    });
  }, SAMPLE_MS);
  try {
    const { world } = beside.sandbox;
    const before = await statistics(client);
    const first = world.deliveries.size;
    const sampled = samples;
    const started = performance.now();
    for (let n = 0; n < EVENTS; n += 1) {
      const place = beside.places[n % INSTALLATIONS];
      const pull = place?.pulls[Math.floor(n / INSTALLATIONS) % PULLS_EACH];
      if (pull !== undefined) addLabelsByName(world, asUser(beside.cleo), pull, [`area-${n}`]);
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await beside.settled();
    const seconds = (performance.now() - started) / 1_000;
    const deliveries = world.deliveries.size - first;
    const after = await statistics(client);
    return {
      rate: deliveries / seconds,
      transactions: (after.transactions - before.transactions - (samples - sampled)) / deliveries,
      waits: waiting / Math.max(1, samples),
      deadlocks: after.deadlocks - before.deadlocks,
    };
  } finally {
    clearInterval(sampler);
    await client.end();
    await beside.close();
  }
}

/** As the server counts them; a moment late. */
async function statistics(client: pg.Client): Promise<{ readonly transactions: number; readonly deadlocks: number }> {
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const { rows } = await client.query<{ transactions: string; deadlocks: string }>(
    "select xact_commit + xact_rollback as transactions, deadlocks from pg_stat_database where datname = current_database()",
  );
  return { transactions: Number(rows[0]?.transactions), deadlocks: Number(rows[0]?.deadlocks) };
}
