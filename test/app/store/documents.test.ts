import fc from "fast-check";
import { expect, it } from "vitest";
import { asRead, documentText, readDocument } from "../../../app/store/document-cache.ts";
import { read, written } from "../../../app/store/documents.ts";
import { act } from "../../../src/lifecycle/facts/change.ts";
import { did, history, labeled, opened, rex } from "../../lifecycle/builders.ts";

const blocked = { at: 1, to: "qa", reason: "GitHub refused it", times: 1, until: 2, wanted: "d" };

it("a document is what it was when it is read again, whether or not it had a version", () => {
  expect(read("blocked", written("blocked", blocked))).toEqual(blocked);
  expect(read("blocked", JSON.stringify(blocked))).toEqual(blocked);
});

it("a document of a later version is refused with what to do, not guessed", () => {
  const later = JSON.stringify({ ...blocked, v: 99 });
  expect(() => read("blocked", later)).toThrow(
    /blocked of version 99.*start the version that wrote it, or a newer one/u,
  );
});

it("an evaluation of before says what was told only later as it was then", () => {
  const before = JSON.stringify({ stage: "qa", spent: [{ label: "go", stage: "qa" }] });
  expect(read("evaluation", before)).toMatchObject({ usedLabels: [{ label: "go", stage: "qa" }], people: true });
});

it("what is kept of a document that was written is what is read of it (any value)", () => {
  const { tie } = fc.letrec((of) => ({
    tie: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(undefined, null, true, 0, -0, Number.NaN, Number.POSITIVE_INFINITY),
      fc.double(),
      fc.string(),
      fc.array(of("tie"), { maxLength: 4 }),
      fc.dictionary(fc.string(), of("tie"), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), tie), (value) => {
      expect(asRead(value, new Set())).toStrictEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

it("a document that was written has what it was made from, and is not read again", () => {
  const before = readDocument("facts", "1-1", written("facts", history(opened(), did(labeled(1, "one", rex)))));
  const next = { ...before, acts: [...before.acts, Object.assign(act(labeled(2, "two", rex)), { unsaid: undefined })] };
  const text = documentText("facts", "1-1", next);
  const again = readDocument("facts", "1-1", text);
  expect(again).toStrictEqual(read("facts", text));
  expect(again.acts[0]).toBe(before.acts[0]);
  expect(documentText("facts", "1-1", again)).toBe(text);
  expect(readDocument("facts", "1-1", text)).toBe(again);
  expect(readDocument("facts", "1-1", written("facts", before))).toStrictEqual(before);
});

it("what was observed is written once where the facts say the same, and is read as it was (any states)", () => {
  const facts = history(opened(), did(labeled(1, "one", rex)));
  const { observed } = facts;
  if (observed === null) throw new Error("nothing was observed");
  const body = "A long description. ".repeat(500);
  const once = written("facts", { ...facts, body, observed: { ...observed, body } });
  expect(once.split(body)).toHaveLength(2);
  const states = fc.record(
    {
      title: fc.string(),
      body: fc.string(),
      draft: fc.boolean(),
      labels: fc.array(fc.string(), { maxLength: 2 }),
      head: fc.record(
        { sha: fc.constantFrom("a", "b"), ref: fc.string(), repositoryId: fc.option(fc.nat()) },
        { noNullPrototype: true },
      ),
      updatedAt: fc.nat(),
      asOf: fc.nat(),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(states, states, fc.boolean(), ({ asOf: _, head, ...now }, then, isNull) => {
      const any = {
        ...facts,
        ...now,
        head: { ...facts.head, ...head },
        observed: isNull ? null : { ...observed, ...then },
      };
      expect(read("facts", written("facts", any))).toStrictEqual(any);
    }),
  );
});

it("facts that were written with all that was observed are read as before", () => {
  const facts = history(opened(), did(labeled(1, "one", rex)));
  expect(read("facts", JSON.stringify({ v: 1, ...facts }))).toStrictEqual(facts);
});
