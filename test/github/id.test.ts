import { readdirSync, readFileSync } from "node:fs";
import { Octokit } from "@octokit/rest";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { parseExactly } from "../../src/github/exact-json.ts";
import { githubId, smallId } from "../../src/github/id.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { redeliver } from "../../src/github/webhooks/deliveries.ts";
import { readWebhook } from "../../src/github/webhooks/webhook.ts";
import { compareIds, newestId } from "../../src/ids.ts";

const MOST = 2n ** 64n - 1n;
const anyId = fc.oneof(fc.bigInt({ min: 0n, max: MOST }), fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }));
const isSafe = (id: bigint): boolean => id <= BigInt(Number.MAX_SAFE_INTEGER);
const noSignal = new AbortController().signal;

describe("an id of GitHub's", () => {
  it("is the same text, in whatever form it comes", () => {
    fc.assert(
      fc.property(anyId, (id) => {
        const forms = [`${id}`, id, ...(isSafe(id) ? [Number(id)] : [])];
        for (const form of forms) {
          expect(githubId.parse(form)).toBe(`${id}`);
        }
      }),
    );
  });

  it("is refused where digits were lost, or where it is none", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n, max: MOST }), (id) => {
        expect(githubId.safeParse(Number(id)).success).toBe(false);
      }),
    );
    for (const none of ["", "07", "7 ", "1e3", "-7", "7/../8", "9".repeat(21), -7, 7.5, -7n, 10n ** 20n, null, {}]) {
      expect(githubId.safeParse(none).success, String(none)).toBe(false);
    }
  });

  it("that is kept as a number is that number, or refused", () => {
    fc.assert(
      fc.property(anyId, (id) => {
        for (const form of [`${id}`, id]) {
          const read = smallId.safeParse(form);
          expect(read.success ? BigInt(read.data) : null).toBe(isSafe(id) ? id : null);
        }
      }),
    );
    expect(smallId.safeParse(2n ** 53n).error?.issues[0]?.message).toMatch(/below 2\^53, got 9007199254740992/u);
  });

  it("is the younger one of two if it is the larger one", () => {
    fc.assert(
      fc.property(fc.array(anyId, { minLength: 1 }), anyId, (ids, other) => {
        const [first = 0n] = ids;
        expect(Math.sign(compareIds(`${first}`, `${other}`))).toBe(first < other ? -1 : first > other ? 1 : 0);
        const newest = ids.toSorted((a, b) => (a < b ? -1 : 1)).at(-1);
        expect(newestId(ids.map(String))).toBe(`${newest}`);
      }),
    );
  });
});

describe("JSON of GitHub's", () => {
  it("is read as by JSON.parse, but no integer of it is rounded", () => {
    const tree = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.bigInt({ min: -MOST, max: MOST }),
        fc.constantFrom("a: 9007199254740993, ", '"\\', true, null, 1.5e300),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom("id", "run_id", "9007199254740993"), tie("value")),
      ),
    })).value;
    const whole = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(whole)
        : typeof value === "object" && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, whole(member)]))
          : typeof value === "bigint" && value >= -(2n ** 53n - 1n) && value <= 2n ** 53n - 1n
            ? Number(value)
            : value;
    const write = (value: unknown): string =>
      JSON.stringify(value, (_, member) => (typeof member === "bigint" ? JSON.rawJSON(`${member}`) : member));
    fc.assert(
      fc.property(tree, (value) => {
        expect(parseExactly(write(value))).toEqual(whole(value));
      }),
      { numRuns: 300 },
    );
  });

  it("gives no time to numbers that are no ids", () => {
    expect(parseExactly(`{"a": ${"9".repeat(100_000)}}`)).toEqual({ a: Number.POSITIVE_INFINITY });
  });

  it("tells of a comment, a review and a run by the ids that the webhook says", () => {
    const repository = '{"id":1,"node_id":"R_1","name":"w","owner":{"login":"acme"},"private":false}';
    const read = (event: string, rest: string) =>
      readWebhook(event, parseExactly(`{"repository":${repository},${rest}}`), { appId: 9 }).events[0];
    const user = '"user":{"id":5,"login":"cleo"}';
    expect(
      read(
        "issue_comment",
        `"action":"created","issue":{"number":7,"pull_request":{}},"comment":{"id":9007199254740993,"node_id":"IC_1",${user},"body":"/stage hold","created_at":"2026-03-01T00:00:00Z"}`,
      ),
    ).toMatchObject({ comment: { id: "9007199254740993" } });
    expect(
      read(
        "workflow_run",
        '"action":"requested","workflow_run":{"id":18446744073709551615,"path":"a.yml","head_sha":"abc","updated_at":"2026-03-01T00:00:00Z"}',
      ),
    ).toMatchObject({ runId: "18446744073709551615" });
  });
});

describe("what is sent", () => {
  test("names a delivery in its address by all of its digits", async () => {
    const asked: string[] = [];
    const listed = '[{"id": 9007199254740993}]';
    const client = new Octokit({
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      request: {
        fetch: async (url: string) => {
          asked.push(url);
          return new Response(listed, { headers: { "content-type": "application/json" } });
        },
      },
    });
    const [first] = (await client.request("GET /app/hook/deliveries")).data;
    // So Octokit reads it; as such it leaves it out of an address.
    expect(first?.id).toBe(9007199254740993n);
    await redeliver(client, githubId.parse(first?.id), noSignal);
    expect(asked.at(-1)).toBe("https://api.github.com/app/hook/deliveries/9007199254740993/attempts");
  });

  test("holds no id as a number: the compiler refuses it", () => {
    const sent: unknown[] = [];
    const client: Pick<GitHubClient, "request"> = {
      request: async (...all) => {
        sent.push(all);
        return { status: 200, data: null, headers: {} };
      },
    };
    const id: number = 7;
    const large: bigint = 7n;
    // @ts-expect-error
    void client.request("GET /x/{run_id}", { owner: "acme", run_id: id });
    // @ts-expect-error
    void client.request("GET /x/{delivery_id}", { delivery_id: large });
    void client.request("GET /x/{run_id}", { owner: "acme", pull_number: id, run_id: `${id}` });
    expect(sent).toHaveLength(3);
  });

  test("and read is an id through one of the two schemas", () => {
    const files = ["src/github", "src/github/workflows", "app"].flatMap((room) =>
      readdirSync(room, { recursive: room === "app" })
        .map((name) => `${room}/${name}`)
        .filter((name) => name.endsWith(".ts")),
    );
    expect(files.length).toBeGreaterThan(100);
    const found = files.flatMap((file) =>
      readFileSync(file, "utf8")
        .split("\n")
        .filter((line) =>
          /\b(?:\w+_id|\w*[dD]atabaseId|commentId|runId|reviewId|checkId): z\.(?:number|int|coerce)|\.transform\(Number\)/u.test(
            line,
          ),
        )
        .map((line) => `${file}: ${line.trim()}`),
    );
    expect(found).toEqual([]);
    const inGitHub = files.filter((file) => file.startsWith("src/github/"));
    const plain = inGitHub.filter((file) =>
      /\bid: z\./u.test(readFileSync(file, "utf8").replaceAll("id: z.string()", "")),
    );
    // Node ids are text of GitHub's own.
    expect(plain).toEqual([]);
  });
});
