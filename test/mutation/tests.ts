/** The tests of a room, run again and again on a source text that is changed a little each time. */
import { join, relative } from "node:path";
import { BaseSequencer, createVitest, type TestModule, type TestSpecification, type Vitest } from "vitest/node";
import { instrument } from "./instrument.ts";
import { type Mutation, mutate } from "./mutants.ts";
import { ROOMS, ROOT, type Room, sourcesOf } from "./rooms.ts";

export interface TestFile {
  readonly file: string;
  /** How long it takes without a change. */
  readonly ms: number;
  /** The sites that it reaches. */
  readonly sites: number[];
}

/** Ticks that a test may always have, and how many times as many as the longest test has without a change. */
const LEAST_TICKS = 1_000_000;
const TIMES_TICKS = 10;

export class RoomTests {
  readonly #vitest: Vitest;
  readonly #specifications: readonly TestSpecification[];
  readonly #change: Change;

  private constructor(vitest: Vitest, specifications: readonly TestSpecification[], change: Change) {
    this.#vitest = vitest;
    this.#specifications = specifications;
    this.#change = change;
  }

  static async open(room: Room): Promise<RoomTests> {
    const sources = sourcesOf(room);
    const byPath = new Map(sources.map((source) => [join(ROOT, source.file), source]));
    const change: Change = { now: null };
    const vitest = await createVitest(
      "test",
      {
        root: ROOT,
        config: false,
        include: [...ROOMS[room]],
        setupFiles: [join(import.meta.dirname, "setup.ts")],
        pool: "threads",
        maxWorkers: 1,
        isolate: false,
        fileParallelism: false,
        watch: false,
        bail: 1,
        testTimeout: 60_000,
        reporters: [{}],
        sequence: { sequencer: AsGiven },
      },
      {
        plugins: [
          {
            name: "mutation",
            enforce: "pre",
            transform(text, id) {
              const source = byPath.get(id);
              if (source === undefined) return null;
              const changed = change.now?.file === source.file ? mutate(text, change.now.mutation) : text;
              return { code: instrument(source.file, changed, source.firstSite).text, map: null };
            },
          },
        ],
      },
    );
    const siteCount = sources.reduce((sum, source) => sum + source.sites.length, 0);
    vitest.provide("siteCount", siteCount);
    vitest.provide("tickLimit", Number.MAX_SAFE_INTEGER);
    return new RoomTests(vitest, await vitest.globTestSpecifications(), change);
  }

  /** Runs all tests without a change: throws when one fails. */
  async learn(): Promise<{ readonly files: TestFile[]; readonly mostTicks: number }> {
    const modules: TestModule[] = [];
    // Each alone: what a module does while it is loaded, or once, is done for the first file of a run only.
    for (const specification of this.#specifications) modules.push(...(await this.#run([specification])));
    const files = modules.map((module) => {
      if (module.state() !== "passed")
        throw new Error(`${module.moduleId} fails without a change:\n${errorOf(module)}`);
      return {
        file: relative(ROOT, module.moduleId),
        ms: module.diagnostic().duration,
        sites: module.meta().sites ?? [],
      };
    });
    return { files, mostTicks: Math.max(...modules.map((module) => module.meta().mostTicks ?? 0)) };
  }

  limit(mostTicks: number): void {
    this.#vitest.provide("tickLimit", Math.max(LEAST_TICKS, TIMES_TICKS * mostTicks));
  }

  /** The first test that fails with this change; null: none of these files notices it. */
  async try(file: string, mutation: Mutation, testFiles: readonly string[]): Promise<string | null> {
    this.#change.now = { file, mutation };
    this.#vitest.invalidateFile(join(ROOT, file));
    try {
      const wanted = testFiles.flatMap((name) => this.#specifications.filter((each) => relativeTo(each) === name));
      const modules = await this.#run(wanted);
      const failed = modules.find((module) => module.state() === "failed");
      if (failed !== undefined) return errorOf(failed);
      if (modules.some((module) => module.state() !== "passed")) return "not all of its tests were run";
      return null;
    } finally {
      this.#change.now = null;
      this.#vitest.invalidateFile(join(ROOT, file));
    }
  }

  async close(): Promise<void> {
    await this.#vitest.close();
  }

  async #run(specifications: readonly TestSpecification[]): Promise<readonly TestModule[]> {
    // Failures of the run before would count for `bail`.
    this.#vitest.state.filesMap.clear();
    this.#vitest.state.idMap.clear();
    const { testModules, unhandledErrors } = await this.#vitest.runTestSpecifications([...specifications], false);
    if (unhandledErrors.length > 0 && testModules.every((module) => module.state() === "passed")) {
      throw new Error("Something failed outside of the tests.", { cause: unhandledErrors[0] });
    }
    return testModules;
  }
}

interface Change {
  now: { readonly file: string; readonly mutation: Mutation } | null;
}

class AsGiven extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files;
  }
}

function relativeTo({ moduleId }: TestSpecification): string {
  return relative(ROOT, moduleId);
}

function errorOf(module: TestModule): string {
  const [first] = module.children.allTests("failed");
  const what = first === undefined ? module.errors()[0]?.message : first.result().errors?.[0]?.message;
  return `${relative(ROOT, module.moduleId)}: ${first?.fullName ?? "cannot be loaded"}: ${what?.split("\n")[0] ?? ""}`;
}
