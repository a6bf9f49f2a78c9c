/**
 * Changes that make no difference to anybody, each with the reason (`equivalent.yml`). An entry names the file and the
 * line, as it is and as it becomes; when the line changes, the entry is stale, which is told.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { type Mutant, mutationsOf, placeOf } from "./mutants.ts";
import type { Room, Source } from "./rooms.ts";

const entry = z.strictObject({
  file: z.string(),
  /** White space is one space; a change of several lines is written as one. */
  before: z.string(),
  after: z.union([z.string(), z.array(z.string()).min(1)]),
  why: z.string().min(1),
});
export type Equivalent = z.infer<typeof entry>;

export function readEquivalents(): readonly Equivalent[] {
  const text = readFileSync(join(import.meta.dirname, "equivalent.yml"), "utf8");
  return z.array(entry).parse(parse(text) ?? []);
}

/** The reason why this change is none; null: it is not listed. */
export function whyEquivalent({ source, mutation }: Mutant, listed: readonly Equivalent[]): string | null {
  const inFile = listed.filter(({ file }) => file === source.file);
  if (inFile.length === 0) return null;
  const { before, after } = placeOf(source.text, mutation);
  return inFile.find((each) => each.before === before && [each.after].flat().includes(after))?.why ?? null;
}

/** What is listed and cannot be made any more. */
export function staleEntries(room: Room, sources: readonly Source[], listed: readonly Equivalent[]): readonly string[] {
  return listed
    .filter(({ file }) => file.startsWith(`src/${room}/`))
    .flatMap(({ file, before, after }) => {
      const source = sources.find((each) => each.file === file);
      if (source === undefined) return [`${file} is not there`];
      const places = mutationsOf(file, source.text).map((mutation) => placeOf(source.text, mutation));
      return [after]
        .flat()
        .filter((each) => !places.some((place) => place.before === before && place.after === each))
        .map((each) => `${file}\n    - ${before}\n    + ${each}`);
    });
}
