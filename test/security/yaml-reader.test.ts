/** Whatever YAML from a repository costs to read: it ends, with its reason, and nobody else waits for it. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterEach, expect, it } from "vitest";
import { type ReaderOptions, YamlReader } from "../../app/policies/reader.ts";
import { Turns } from "../../app/policies/turns.ts";
import { localUses } from "../../src/github/workflows/local-uses.ts";
import { POLICY_PATH, readPolicy } from "../../src/lifecycle/policy/read-policy.ts";

/** A thread that finds no problems in anything, and is busy for ever with some. */
const STUBBORN = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ kind, content }) => {
      const kept = [];
      while (content === "forever") {}
      while (content === "everything") kept.push(new Array(100_000).fill(kept.length));
      if (content === "end") process.exit(3);
      if (content.startsWith("slow")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      const reading = { policy: null, parts: null, extends: null, problems: [] };
      parentPort.postMessage(kind === "policy" ? { kind, reading } : { kind, paths: [] });
    });
    parentPort.postMessage({ kind: "ready" });
  `)}`,
);

const readers: YamlReader[] = [];
function reader(options: ReaderOptions = {}): YamlReader {
  const made = new YamlReader(options);
  readers.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(readers.splice(0).map((each) => each.close()));
});

it("reads as it would be read here, one after the other", async () => {
  const example = readFileSync("examples/policies/three-bots.yml", "utf8");
  const workflow = "jobs: { a: { uses: ./.github/workflows/b.yml } }";
  const { policy, uses } = reader().of(1);
  const readings = await Promise.all([
    policy(example, POLICY_PATH, null),
    uses(workflow),
    policy(Buffer.from("stages: 5"), POLICY_PATH, null),
    uses("{ a"),
  ]);
  expect(readings).toEqual([
    readPolicy(example, POLICY_PATH, null),
    localUses(workflow),
    readPolicy(Buffer.from("stages: 5"), POLICY_PATH, null),
    null,
  ]);
});

it("ends what takes too long, says so, and reads the next file, while the event loop goes on", async () => {
  const { policy, uses } = reader({ thread: STUBBORN, deadlineMs: 2_000 }).of(1);
  let turns = 0;
  const turning = setInterval(() => {
    turns += 1;
  }, 5);
  const [late, untold, next] = await Promise.all([
    policy("forever", "a.yml", null),
    uses("forever"),
    policy("short", "b.yml", null),
  ]);
  clearInterval(turning);
  expect(late).toMatchObject({ policy: null, parts: null });
  expect(late.problems).toEqual([
    expect.objectContaining({
      severity: "error",
      file: "a.yml",
      message: expect.stringContaining("longer than 2 s"),
    }),
  ]);
  // What a workflow calls is not known then, and what is not known counts for nothing.
  expect(untold).toBeNull();
  expect(next.problems).toEqual([]);
  expect(turns).toBeGreaterThan(0);
});

it("ends what takes too much memory, says so, and reads the next file", async () => {
  const { policy } = reader({ thread: STUBBORN, mostMegabytes: 32 }).of(1);
  const [large, next] = await Promise.all([policy("everything", "a.yml", null), policy("short", "b.yml", null)]);
  expect(large.problems[0]?.message).toContain("more than 32 MB of memory");
  expect(next.problems).toEqual([]);
});

it("throws where the thread ends for no reason of the file's, and reads the next", async () => {
  const { policy } = reader({ thread: STUBBORN }).of(1);
  await expect(policy("end", "a.yml", null)).rejects.toThrow("has ended");
  expect((await policy("short", "b.yml", null)).problems).toEqual([]);
});

it("gives up what it reads when it is closed, and takes nothing more", async () => {
  const made = reader({ thread: STUBBORN });
  const { policy } = made.of(1);
  await policy("short", "a.yml", null);
  const going = policy("forever", "a.yml", null);
  const refused = expect(going).rejects.toThrow();
  await made.close();
  await refused;
  await expect(policy("short", "a.yml", null)).rejects.toThrow("stopping");
});

it("lets an installation whose files take long wait for itself, and reads the others' in between", async () => {
  const { of } = reader({ thread: STUBBORN });
  const read: string[] = [];
  const ask = async (installation: number, content: string): Promise<void> => {
    await of(installation).policy(content, "a.yml", null);
    read.push(content);
  };
  const asked = ["slow 1", "slow 2", "slow 3", "slow 4", "slow 5"].map((content) => ask(1, content));
  await asked[0];
  asked.push(ask(2, "a"), ask(2, "b"), ask(3, "c"));
  await Promise.all(asked);
  // One of theirs was being read when the others came.
  expect(read.slice(0, 2)).toEqual(["slow 1", "slow 2"]);
  expect(read.slice(2, 5).toSorted()).toEqual(["a", "b", "c"]);
  expect(read.slice(5)).toEqual(["slow 3", "slow 4", "slow 5"]);
});

/** What is waited for: until when, if one thing is done at a time in the order of the turns. */
function waits(arrivals: readonly { readonly of: number; readonly at: number; readonly takes: number }[]) {
  const turns = new Turns<{ readonly at: number; readonly takes: number }>();
  const coming = arrivals.toSorted((a, b) => a.at - b.at);
  const waited: { of: number; at: number; ms: number }[] = [];
  let now = 0;
  for (;;) {
    while (coming[0] !== undefined && coming[0].at <= now) {
      const { of, ...item } = coming[0];
      turns.add(of, item);
      coming.shift();
    }
    const next = turns.next();
    if (next === null) {
      if (coming[0] === undefined) return waited;
      now = coming[0].at;
      continue;
    }
    const { of, item } = next;
    waited.push({ of, at: item.at, ms: now - item.at });
    now += item.takes;
    turns.took(of, item.takes);
  }
}

it("keeps one that asks for little from waiting longer than for one thing of each other, however much they ask for", () => {
  const arrival = fc.record({ of: fc.integer({ min: 1, max: 4 }), at: fc.nat(200), takes: fc.nat(100) });
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 60 }), fc.nat(200), (others, at) => {
      const all = waits([...others, { of: 0, at, takes: 1 }]);
      expect(all).toHaveLength(others.length + 1);
      const longest = [1, 2, 3, 4].map((of) =>
        Math.max(0, ...others.filter((each) => each.of === of).map(({ takes }) => takes)),
      );
      // Each of theirs once, besides the one that is being done.
      const most = longest.reduce((sum, each) => sum + each, 0) + Math.max(...longest);
      expect(all.find(({ of }) => of === 0)?.ms).toBeLessThanOrEqual(most);
    }),
  );
});

it("does things of one in the order in which they came", () => {
  const things = Array.from({ length: 20 }, (_, at) => ({ of: at % 3, at, takes: 7 }));
  for (const one of [0, 1, 2]) {
    const order = waits(things).flatMap((each) => (each.of === one ? [each.at] : []));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  }
});
