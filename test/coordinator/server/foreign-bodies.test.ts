import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PROTOCOL } from "../../../src/coordinator/protocol/protocol.ts";
import type { Serving } from "../../../src/coordinator/server/serve.ts";
import { WIRE_BOUNDS } from "../../../src/plan/bounds.ts";
import { idle, joinOf, planOf, SECRET, startCoordinator } from "../builders.ts";
import { join, syncBody } from "./raw.ts";

const PLAN = planOf("name: group\nagents: 2\nstages:\n  - { name: work, run: 'true' }");

let serving: Serving;
let errors: unknown[];
beforeEach(async () => {
  errors = [];
  serving = await startCoordinator({ errors });
});
afterEach(() => serving.close());

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly text: string;
}

async function send(
  path: string,
  bearer: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
): Promise<Answer> {
  const answer = await fetch(`http://${serving.address}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json", ...headers },
    body,
  });
  const text = await answer.text();
  const { error } = JSON.parse(text) as { error?: { code: string; message: string } };
  return { status: answer.status, code: error?.code ?? "", message: error?.message ?? "", text };
}

describe("a body that does not say that it is JSON", () => {
  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonp",
    "",
    "application/json; charset=latin1",
  ])("(%s) is refused before it is read", async (type) => {
    const body = JSON.stringify({ protocol: PROTOCOL, nonce: "0123456789abcdef", ...joinOf(PLAN, "node-0") });
    const answer = await send("/api/runs/join", SECRET, body, { "content-type": type });
    expect(answer).toMatchObject({ status: 415, code: "unsupported" });
  });
});

describe("a body that is not what its headers say", () => {
  const whole = gzipSync(JSON.stringify({ protocol: PROTOCOL, seq: 1, why: "enough of it, and more of it" }));
  const flipped = Buffer.from(whole);
  flipped.writeUInt8(flipped.readUInt8(20) ^ 0xff, 20);
  const bodies: readonly [string, string, Buffer, number, string][] = [
    ["no gzip at all", "gzip", Buffer.from("{}"), 400, "invalid"],
    ["an empty gzip", "gzip", Buffer.alloc(0), 400, "invalid"],
    ["gzip that is cut off", "gzip", whole.subarray(0, whole.length - 9), 400, "invalid"],
    ["gzip with a flipped byte", "gzip", flipped, 400, "invalid"],
    ["an unknown encoding", "br", whole, 415, "unsupported"],
    ["two encodings", "gzip, gzip", gzipSync(whole), 415, "unsupported"],
    ["an encoding with control characters", "\u0085\u009b", whole, 415, "unsupported"],
    ["gzip that grows too large", "gzip", gzipSync(Buffer.alloc(WIRE_BOUNDS.bodyBytes + 1, 32)), 413, "too_large"],
  ];

  it.each(bodies)(
    "%s: is refused on every request, as no fault of ours",
    async (_name, encoding, body, status, code) => {
      const joined = await join(serving.address, joinOf(PLAN, "node-0"));
      expect(joined.status).toBe(200);
      const requests: readonly (readonly [string, string])[] = [
        ["/api/runs/join", SECRET],
        [`/api/runs/${joined.run}/sync`, joined.session],
        [`/api/runs/${joined.run}/leave`, joined.session],
      ];
      for (const [path, bearer] of requests) {
        const said = await send(path, bearer, new Uint8Array(body), { "content-encoding": encoding });
        expect([path, said.status, said.code]).toEqual([path, status, code]);
        expect(said.message).toMatch(/gzip|larger than/);
        expect(said.text).not.toMatch(/(?!\n)\p{Cc}/u);
      }
      expect(errors).toEqual([]);
    },
  );

  it("does not hinder the next request, which may be compressed however its encoding is written", async () => {
    const { run, session } = await join(serving.address, joinOf(PLAN, "node-0"));
    const path = `/api/runs/${run}/sync`;
    expect((await send(path, session, "{", { "content-encoding": "gzip" })).status).toBe(400);
    const body = new Uint8Array(gzipSync(JSON.stringify(syncBody(1))));
    expect((await send(path, session, body, { "content-encoding": "GZIP" })).status).toBe(200);
    expect(errors).toEqual([]);
  });
});

it("a body that is nested thousands deep is refused, as no fault of ours", async () => {
  const { run, session } = await join(serving.address, joinOf(PLAN, "node-0"));
  const path = `/api/runs/${run}/sync`;
  const deep = (levels: number) => `${"[".repeat(levels)}1${"]".repeat(levels)}`;
  const body = JSON.stringify(syncBody(1, { sync: idle({ outputs: { x: "HERE" }, addTasks: ["HERE"] }) }));
  for (const levels of [80, 1_000, 500_000]) {
    const said = await send(path, session, body.replaceAll('"HERE"', deep(levels)), {});
    expect([levels, said.status, said.code]).toEqual([levels, 400, "invalid"]);
  }
  expect((await send(path, session, body.replaceAll('"HERE"', deep(64)), {})).status).toBe(200);
  expect(errors).toEqual([]);
});
