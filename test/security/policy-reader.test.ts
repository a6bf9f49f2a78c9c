/** Whatever a proposed policy costs to read: it ends, with its reason, and nothing else waits for it. */
import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { PolicyReader, type PolicyReaderOptions } from "../../app/policies/reader.ts";
import { POLICY_PATH, readPolicy } from "../../src/lifecycle/read-policy.ts";

/** A thread that answers every text by its length, and is busy for ever with some. */
const STUBBORN = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ content }) => {
      const kept = [];
      while (content === "forever") {}
      while (content === "everything") kept.push(new Array(100_000).fill(kept.length));
      if (content === "end") process.exit(3);
      parentPort.postMessage({ kind: "read", reading: { policy: null, parts: null, extends: null, problems: [] } });
    });
    parentPort.postMessage({ kind: "ready" });
  `)}`,
);

const readers: PolicyReader[] = [];
function reader(options: PolicyReaderOptions = {}): PolicyReader {
  const made = new PolicyReader(options);
  readers.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(readers.splice(0).map((each) => each.close()));
});

it("reads as it would be read here, one after the other", async () => {
  const example = readFileSync("examples/policies/three-bots.yml", "utf8");
  const { read } = reader();
  const readings = await Promise.all([
    read(example, POLICY_PATH, null),
    read(Buffer.from("stages: 5"), POLICY_PATH, null),
  ]);
  expect(readings).toEqual([
    readPolicy(example, POLICY_PATH, null),
    readPolicy(Buffer.from("stages: 5"), POLICY_PATH, null),
  ]);
});

it("ends what takes too long, says so, and reads the next file, while the event loop goes on", async () => {
  const { read } = reader({ thread: STUBBORN, deadlineMs: 2_000 });
  let turns = 0;
  const turning = setInterval(() => {
    turns += 1;
  }, 5);
  const [late, next] = await Promise.all([read("forever", "a.yml", null), read("short", "b.yml", null)]);
  clearInterval(turning);
  expect(late).toMatchObject({ policy: null, parts: null });
  expect(late.problems).toEqual([
    expect.objectContaining({
      severity: "error",
      file: "a.yml",
      message: expect.stringContaining("longer than 2 s"),
    }),
  ]);
  expect(next.problems).toEqual([]);
  expect(turns).toBeGreaterThan(0);
});

it("ends what takes too much memory, says so, and reads the next file", async () => {
  const { read } = reader({ thread: STUBBORN, mostMegabytes: 32 });
  const [large, next] = await Promise.all([read("everything", "a.yml", null), read("short", "b.yml", null)]);
  expect(large.problems[0]?.message).toContain("more than 32 MB of memory");
  expect(next.problems).toEqual([]);
});

it("throws where the thread ends for no reason of the file's, and reads the next", async () => {
  const { read } = reader({ thread: STUBBORN });
  await expect(read("end", "a.yml", null)).rejects.toThrow("has ended");
  expect((await read("short", "b.yml", null)).problems).toEqual([]);
});

it("gives up what it reads when it is closed, and takes nothing more", async () => {
  const made = reader({ thread: STUBBORN });
  await made.read("short", "a.yml", null);
  const going = made.read("forever", "a.yml", null);
  const refused = expect(going).rejects.toThrow();
  await made.close();
  await refused;
  await expect(made.read("short", "a.yml", null)).rejects.toThrow("stopping");
});
