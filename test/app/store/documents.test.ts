import { expect, it } from "vitest";
import { read, written } from "../../../app/store/documents.ts";

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
