import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from "hdr-histogram-js";
import { describe, expect, it } from "vitest";
import { Masks } from "../../../src/agent/masking/masks.ts";
import { AttemptRecord } from "../../../src/agent/output/record.ts";
import { isHistogram } from "../../../src/coordinator/hosting/histograms.ts";
import { joinOf, planOf, SECRET, startCoordinator } from "../builders.ts";
import { get, join, post, type Said, syncBody } from "../server/raw.ts";

const PLAN = planOf("name: group\nagents: 2\nstages:\n  - { name: work, run: 'true' }");

function encoded(values: readonly number[], digits: 1 | 2 | 3 | 4 | 5 = 3): string {
  const histogram = build({ numberOfSignificantValueDigits: digits });
  histogram.autoResize = true;
  for (const value of values) histogram.recordValue(value);
  return encodeIntoCompressedBase64(histogram);
}

/** An outer layer as it should be, with this inside. */
function layered(inner: Buffer): string {
  const deflated = deflateSync(inner);
  const head = Buffer.alloc(8);
  head.writeInt32BE(0x1c849314, 0);
  head.writeInt32BE(deflated.length, 4);
  return Buffer.concat([head, deflated]).toString("base64");
}

const whole = encoded([1, 10, 100, 1_000]);

/** With these bytes as its counts. */
function counting(...counts: readonly number[]): string {
  const inner = Buffer.alloc(40);
  inner.writeInt32BE(0x1c849313, 0);
  inner.writeInt32BE(counts.length, 4);
  inner.writeInt32BE(3, 12);
  inner.writeBigInt64BE(1n, 16);
  inner.writeBigInt64BE(1_000n, 24);
  return layered(Buffer.concat([inner, Buffer.from(counts)]));
}

it("as the tests make them is one, as long as its counts are", () => {
  // One sample of 0, one of 1.
  expect(isHistogram(counting(2, 2))).toBe(true);
  expect(decodeFromCompressedBase64(counting(2, 2)).totalCount).toBe(2);
});

const foreign: readonly [string, string][] = [
  ["that is no base64", "not-base64!!"],
  ["that is empty", ""],
  ["of other bytes", "AAAA"],
  ["that is cut off", whole.slice(0, whole.length - 16)],
  ["without an inner layer", layered(Buffer.alloc(0))],
  ["with another inner layer", layered(Buffer.alloc(64))],
  ["that is small and inflates to 100 MB", layered(Buffer.alloc(100_000_000))],
  ["whose last count is cut off", counting(2, 0xff)],
  ["whose count is beyond all numbers", counting(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
  ["with more zeros than there are counts", counting(0xff, 0xff, 0x7f, 2)],
  ["with more digits than agents use", encoded([1, 2, 3], 5)],
];

describe("a histogram", () => {
  it.each(foreign)("%s is refused at the sync, by name, and changes nothing", async (_name, histogram) => {
    const serving = await startCoordinator();
    try {
      const { run, session } = await join(serving.address, joinOf(PLAN, "node-0"));
      const found = await serving.runs.find(run);
      const before = found?.host.state;
      const report = { stage: 0, attempt: "0.0.1", task: null, startedAt: 1, endedAt: 2 };
      const told = {
        end: { kind: "exited", code: 0 },
        progress: null,
        metrics: [],
        outputs: {},
        annotations: [],
        tail: "",
      };
      const finished = [{ ...report, ...told, histograms: { lat: histogram } }];
      const sync = { ...(syncBody(1).sync as Record<string, unknown>), finished };
      const said = await post(serving.address, `/api/runs/${run}/sync`, session, syncBody(1, { sync }));
      expect([said.status, said.code]).toEqual([400, "invalid"]);
      expect(said.message).toContain("sync.finished.0.histograms.lat: ");
      expect(found?.host.state).toBe(before);
    } finally {
      await serving.close();
    }
  });

  it("whatever agents encode is taken", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.maxSafeNat(), { minLength: 1, maxLength: 200 }), async (values) => {
        const record = new AttemptRecord({
          masks: new Masks(),
          tellsOutput: true,
          place: { path: "plan.yml", line: 1 },
          thresholds: null,
          series: { inARow: 0 },
          isMeasured: () => true,
          warn: (text) => {
            throw new Error(text);
          },
          onProgress: () => undefined,
          onTasks: () => undefined,
          onThreshold: () => undefined,
        });
        await record.take({ histogram: { name: "lat", values } });
        const end = { kind: "exited", code: 0 } as const;
        const told = await record.report({ stage: 0, attempt: "a", task: null, startedAt: 0, endedAt: 1, end });
        expect(isHistogram(told.histograms.lat ?? "")).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ["on its own", 1],
    ["with another agent's", 2],
  ])("that is accepted is in the result, %s", async (_name, tellers) => {
    const serving = await startCoordinator();
    try {
      let run = "";
      const sessions: string[] = [];
      for (const name of ["node-0", "node-1"]) {
        const joined = await join(serving.address, joinOf(PLAN, name));
        run = joined.run;
        sessions.push(joined.session);
      }
      const sync = async (agent: number, seq: number, told: Record<string, unknown>): Promise<Said> => {
        const body = syncBody(seq, { sync: { ...(syncBody(seq).sync as Record<string, unknown>), ...told } });
        return await post(serving.address, `/api/runs/${run}/sync`, sessions[agent] ?? "", body);
      };
      for (const agent of [0, 1]) {
        const { attempt } = (await sync(agent, 1, {})).body.instruction as { attempt: string };
        const report = { stage: 0, attempt, task: null, startedAt: 1, endedAt: 2, end: { kind: "exited", code: 0 } };
        const histograms = agent < tellers ? { lat: whole } : {};
        const told = { progress: null, metrics: [], outputs: {}, annotations: [], tail: "", histograms };
        expect((await sync(agent, 2, { stage: 0, finished: [{ ...report, ...told }] })).status).toBe(200);
      }
      const { body } = await get(serving.address, `/api/runs/${run}`, SECRET);
      const { summary } = body as {
        summary: { phases: { status: string; reason: string | null; histograms: { lat: string } }[] };
      };
      const [phase] = summary.phases;
      expect(phase).toMatchObject({ status: "success", reason: null });
      expect(decodeFromCompressedBase64(phase?.histograms.lat ?? "").totalCount).toBe(4 * tellers);
    } finally {
      await serving.close();
    }
  });
});
