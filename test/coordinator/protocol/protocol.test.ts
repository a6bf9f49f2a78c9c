/**
 * The messages of each number of the protocol, as they were recorded: a coordinator serves its own number and the one
 * before, so neither may change under its number.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { PROTOCOL, PROTOCOLS } from "../../../src/coordinator/protocol/protocol.ts";
import { examplesOf, KINDS, schemaOf, WORDS } from "./messages.ts";

const fileOf = (number: number) => new URL(`${number}.json`, import.meta.url);
const CHANGED =
  "the messages of this protocol have changed: give it a new number in src/coordinator/protocol/protocol.ts (PROTOCOLS: that and " +
  "the last released one), and record it with STAGEWRIGHT_RECORD_PROTOCOL=1 npx vitest run test/coordinator/protocol/protocol.test.ts";

interface Recorded {
  readonly words: unknown;
  readonly kinds: Readonly<Record<string, { readonly schema: object; readonly examples: readonly unknown[] }>>;
}

/** What is said and taken today. Plain JSON. */
function today(): Recorded {
  const kinds = Object.fromEntries(
    KINDS.map((kind) => {
      const schema = z.toJSONSchema(schemaOf(kind), { io: "input", target: "draft-2020-12", unrepresentable: "any" });
      return [kind, { schema, examples: examplesOf(kind) }];
    }),
  );
  return JSON.parse(JSON.stringify({ words: WORDS, kinds }));
}

// Never over one that is there: what was recorded was said.
if (process.env.STAGEWRIGHT_RECORD_PROTOCOL === "1" && !existsSync(fileOf(PROTOCOL))) {
  writeFileSync(fileOf(PROTOCOL), `${JSON.stringify(today(), null, 1)}\n`);
}

function recorded(number: number): Recorded {
  return JSON.parse(readFileSync(fileOf(number), "utf8"));
}

describe("the protocol", () => {
  it("has a new number when its messages have changed", () => {
    expect(today(), CHANGED).toEqual(recorded(PROTOCOL));
  });

  it("serves its own number and at most the one before", () => {
    expect(PROTOCOLS[0]).toBe(PROTOCOL);
    expect(PROTOCOLS.length).toBeLessThanOrEqual(2);
    for (const number of PROTOCOLS) expect(PROTOCOL - number).toBeLessThanOrEqual(1);
  });

  describe.each(PROTOCOLS.map((number) => [number]))("number %i", (number) => {
    it.each(KINDS.map((kind) => [kind]))("%s: what was said then is taken today", (kind) => {
      const examples = recorded(number).kinds[kind]?.examples ?? [];
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) expect(schemaOf(kind).safeParse(example).error).toBeUndefined();
    });

    it.each(KINDS.map((kind) => [kind]))("%s: what is said today was taken then", (kind) => {
      const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
        recorded(number).kinds[kind]?.schema ?? {},
      );
      for (const example of examplesOf(kind, number)) {
        expect(validate(JSON.parse(JSON.stringify(example))), JSON.stringify(validate.errors)).toBe(true);
      }
    });
  });

  it.each([
    ["a word more", (said: Recorded) => ({ ...said, words: {} })],
    [
      "an answer that says more",
      (said: Recorded) => ({ ...said, kinds: { ...said.kinds, synced: { ...said.kinds.synced, examples: [] } } }),
    ],
  ])("is found to have changed by %s", (_what, change) => {
    expect(change(today())).not.toEqual(recorded(PROTOCOL));
  });
});
