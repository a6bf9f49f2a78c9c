/**
 * The job of a group's first agent is killed in the middle of a stage. Run again, the group goes on at that stage, and at a
 * later one that failed: from the state that its leader kept in GitHub's cache, or that the app has. The shipped action,
 * real jobs, the real app.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Actions, startActions } from "../../src/sandbox/workflows/start.ts";
import * as w from "../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../app/house.ts";
import { logOf, ROOT, until } from "./builders.ts";

let house: House;
let actions: Actions;
/** Where the commands write down what ran: `<stage> <agent> <attempt of the job>`. */
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-killed-"));
});
afterEach(async () => {
  await actions.close(2_000);
  await house.close();
  rmSync(directory, { recursive: true, force: true });
});

const AGENTS = [0, 1, 2, 3];
const workflow = (coordinator: string) => `
on: pull_request
permissions: { actions: read, contents: read, checks: write, id-token: write }
jobs:
  train:
    runs-on: self-hosted
    strategy: { fail-fast: false, matrix: { index: [${AGENTS}] } }
    steps:
      - uses: actions/checkout@v5
      - uses: stagewright/stagewright@v1
        with: { plan: plan.yml, coordinator: "${coordinator}", listen: "127.0.0.1:0", resume: true }
`;
const note = (stage: string) => `echo "${stage} $STAGEWRIGHT_AGENT_INDEX $GITHUB_RUN_ATTEMPT" >> "${directory}/ran"`;
/** Whoever is killed counts as lost soon. In attempt 1 `train` does not end, in attempt 2 `publish` fails. */
const plan = () => `
liveness: { heartbeat_interval: 200ms, warn_after: 1s, lost_after: 3s }
stages:
  - { name: prepare, run: '${note("prepare")}' }
  - { name: load, run: '${note("load")}; stagewright emit rows=3' }
  - { name: train, run: 'echo $PPID > "${directory}/pid-$STAGEWRIGHT_AGENT_INDEX"; ${note("train")}; test "$GITHUB_RUN_ATTEMPT" != 1 || sleep 300; test "$STAGEWRIGHT_OUTPUT_LOAD_ROWS" = 3' }
  - { name: publish, run: '${note("publish")}; test "$GITHUB_RUN_ATTEMPT" != 2' }
  - { name: cleanup, run: '${note("cleanup")}' }
`;

const ran = (attempt: number): readonly string[] => {
  const file = join(directory, "ran");
  const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  return lines.filter((line) => line.endsWith(` ${attempt}`)).map((line) => line.slice(0, -2));
};
const each = (stage: string): readonly string[] => AGENTS.map((index) => `${stage} ${index}`);

/** Whether the newest state in GitHub's cache, which `@actions/cache` packs in one of two ways, has both first stages. */
function isKept(): boolean {
  const packed = actions.cache.newest();
  if (packed === null) return false;
  const archive = packed.readUInt16BE(0) === 0x1f8b ? gunzipSync(packed) : zstdDecompressSync(packed);
  return archive.toString("latin1").includes('"phases_executed":["prepare","load"]');
}

/** The process of the action that runs this agent, as its command saw it. */
const processOf = (index: number): number => Number(readFileSync(join(directory, `pid-${index}`), "utf8"));

test.each(["leader", "app"])(
  "attempt 2 goes on at the stage in which the %s's first agent was killed",
  async (at) => {
    const faults: unknown[] = [];
    house = await openHouse({ hosts: true });
    const { rex, repository } = house;
    const { world } = house.sandbox;
    actions = await startActions(house.sandbox, { root: ROOT, runners: 4, report: (error) => void faults.push(error) });
    const files = { ".github/workflows/bench.yml": workflow(at === "app" ? house.url : at), "plan.yml": plan() };
    w.commitFiles(world, w.asUser(rex), repository, { branch: "bench", message: "Measure", files });
    w.openPull(world, w.asUser(rex), repository, { title: "Measure", head: "bench", base: "main" });
    const run = () => w.runsOf(world, repository)[0];
    const jobs = () => w.runsOf(world, repository).flatMap((one) => w.jobsOf(world, one));
    const told = () =>
      jobs()
        .map((job) => `== ${job.name}: ${job.conclusion}\n${logOf(job)}`)
        .join("\n");
    const all = <T>(what: string, probe: () => T | false | undefined): Promise<T> =>
      until<T>(what, probe).catch((error: unknown) => {
        throw new Error([String(error), told()].join("\n"), { cause: error });
      });
    const ended = (attempt: number) =>
      all(`attempt ${attempt} to end`, () => {
        const found = run();
        return found?.status === "completed" && found.attempt === attempt && found;
      });

    await all("everyone to be at work", () => ran(1).filter((line) => line.startsWith("train")).length === 4);
    // A group does not wait until its state has been uploaded.
    if (at === "leader") await all("the state to be kept", isKept);
    const pid = processOf(0);
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).toContain("dist/index.js");
    process.kill(pid, "SIGKILL");
    // Where the leader is gone the others would wait a minute for it: somebody sees it, and cancels the run.
    const first = run();
    if (at === "leader" && first !== undefined) w.cancelRun(world, w.asUser(rex), first);
    expect((await ended(1)).conclusion).toBe(at === "leader" ? "cancelled" : "failure");
    expect(
      ran(1)
        .filter((line) => !/^(?:train|cleanup)/u.test(line))
        .toSorted(),
    ).toEqual([...each("load"), ...each("prepare")]);

    // The same runners take the jobs in any order: what was prepared elsewhere is prepared again.
    const again = async (attempt: number) => {
      w.rerun(world, w.asUser(rex), w.runsOf(world, repository)[0] as w.WorkflowRun, "all");
      const { conclusion } = await ended(attempt);
      expect(told()).toMatch(/goes on from the state of 20\d\d-/);
      return {
        conclusion,
        ran: ran(attempt)
          .filter((line) => !line.startsWith("prepare"))
          .toSorted(),
      };
    };
    const second = await again(2);
    // The first that fails ends the others.
    expect(second.conclusion, told()).toBe("failure");
    expect(
      second.ran.filter((line) => !line.startsWith("publish")),
      told(),
    ).toEqual([...each("cleanup"), ...each("train")]);
    expect(second.ran).toEqual(expect.arrayContaining([expect.stringMatching(/^publish/)]));
    expect(await again(3), told()).toEqual({ conclusion: "success", ran: [...each("cleanup"), ...each("publish")] });
    expect(faults).toEqual([]);
  },
  120_000,
);
