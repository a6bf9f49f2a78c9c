/** `npm run mutate -- --room plan`: how many small changes of a room its own tests notice. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Random } from "../simulation/random.ts";
import { Compiler } from "./compile.ts";
import { readEquivalents, staleEntries, whyEquivalent } from "./equivalent.ts";
import { type Mutant, mutationsOf, placeOf } from "./mutants.ts";
import { isRoom, ROOMS, type Room, sourcesOf } from "./rooms.ts";
import { Session, type Verdict } from "./session.ts";

const AIM = 0.9;
const USAGE = `npm run mutate -- --room ${Object.keys(ROOMS).join("|")} [options]

Changes the source of a room at random places, one at a time, and runs the room's tests that reach the place. A change
that fails a test, or that never ends, is killed. One that the compiler refuses is not counted, nor is one that
test/mutation/equivalent.yml lists with its reason.

  --count N     how many changes (default 200)
  --seed N      which (default 1)
  --file TEXT   only in files whose path has this in it
  --all         all changes instead of --count
  --workers N   processes (default: one a core)
  --verbose     say of each change that is killed by which test

Ctrl-C ends it with what is known so far.
Exit code: 0 when ${AIM * 100} % are killed and no entry of the list is stale, 1 when not, 2 on wrong use.`;

interface Options {
  readonly room: Room;
  readonly count: number;
  readonly seed: number;
  readonly file: string;
  readonly workers: number;
  readonly verbose: boolean;
}

const options = read();
if (options !== null) process.exitCode = await main(options);

function read(): Options | null {
  try {
    const { values } = parseArgs({
      options: {
        room: { type: "string" },
        count: { type: "string", default: "200" },
        seed: { type: "string", default: "1" },
        file: { type: "string", default: "" },
        all: { type: "boolean", default: false },
        workers: { type: "string", default: String(availableParallelism()) },
        verbose: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return null;
    }
    const { room = "", file, verbose } = values;
    if (!isRoom(room)) throw new Error(`expected --room ${Object.keys(ROOMS).join("|")}`);
    if (!sourcesOf(room).some((source) => source.file.includes(file))) throw new Error(`no file has "${file}" in it`);
    const count = values.all ? Number.MAX_SAFE_INTEGER : whole("count", values.count, 1);
    return {
      room,
      count,
      seed: whole("seed", values.seed, 0),
      file,
      workers: whole("workers", values.workers, 1),
      verbose,
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = 2;
    return null;
  }
}

function whole(name: string, text: string, least: number): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(number) && number >= least) return number;
  throw new Error(`--${name}: expected a whole number from ${least}, got "${text}"`);
}

async function main({ room, count, seed, file, workers, verbose }: Options): Promise<number> {
  const sources = sourcesOf(room);
  const listed = readEquivalents();
  const mutants = shuffled(sources.filter((source) => source.file.includes(file)).flatMap(mutantsIn), new Random(seed));
  const session = await Session.open(room, workers).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    return null;
  });
  if (session === null) return 1;
  const compiler = new Compiler();
  let [tried, killed, equivalent, refused] = [0, 0, 0, 0];

  let isInterrupted = false;
  process.once("SIGINT", () => {
    isInterrupted = true;
  });
  const next = (): Mutant | null => {
    while (tried + equivalent < count && !isInterrupted) {
      const mutant = mutants.pop();
      if (mutant === undefined) return null;
      if (whyEquivalent(mutant, listed) !== null) {
        equivalent += 1;
      } else if (compiler.accepts(mutant)) {
        tried += 1;
        return mutant;
      } else {
        refused += 1;
      }
    }
    return null;
  };
  const tell = (mutant: Mutant, verdict: Verdict): void => {
    if (verdict.is === "killed") {
      killed += 1;
      if (verbose) console.log(`${shown(mutant)}\n    killed by ${verdict.by}`);
    } else {
      console.log(`survived ${shown(mutant)}${verdict.reached ? "" : "\n    no test comes here"}`);
    }
  };
  try {
    await session.run(next, tell);
  } finally {
    session.close();
    compiler.close();
  }

  const stale = staleEntries(room, sources, listed);
  for (const entry of stale) console.log(`stale in equivalent.yml: ${entry}`);
  const share = tried === 0 ? 1 : killed / tried;
  console.log(
    `${room}, seed ${seed}: ${killed} of ${tried} changes killed (${(share * 100).toFixed(1)} %), ${tried - killed} survived; ` +
      `left out: ${equivalent} that make no difference, ${refused} that do not compile`,
  );
  return share >= AIM && stale.length === 0 ? 0 : 1;
}

function mutantsIn(source: Mutant["source"]): readonly Mutant[] {
  return mutationsOf(source.file, source.text).map((mutation) => ({ source, mutation }));
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  return values
    .map((value) => ({ value, rank: random.next() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ value }) => value);
}

function shown({ source, mutation }: Mutant): string {
  const { line, before, after } = placeOf(source.text, mutation);
  return `${source.file}:${line} (${mutation.kind})\n    - ${before}\n    + ${after}`;
}
