import fc from "fast-check";
import { expect, test } from "vitest";
import { globProblem, matcher } from "../../../src/lifecycle/evidence/globs.ts";

/** What the glob means, by a pattern that may take for ever on long names. Without braces. */
function plainly(glob: string): RegExp {
  const source = glob.replace(
    /(?<dirs>(?<=^|\/)\*\*\/)|(?<across>\*{2,})|(?<many>\*)|(?<one>\?)|\[(?<set>[^[\]]+)\]|(?<plain>[\s\S])/gu,
    (...parts) => {
      const { dirs, across, many, one, set, plain } = parts.at(-1);
      if (dirs !== undefined) return "(?:[^/]+/)*";
      if (across !== undefined) return "[\\s\\S]*";
      if (many !== undefined) return "[^/]*";
      if (one !== undefined) return "[^/]";
      return set === undefined ? RegExp.escape(plain) : `(?!/)[${set}]`;
    },
  );
  return new RegExp(`^(?:${source})$`, "u");
}

test("a glob matches what it means, whatever it begins and ends with", () => {
  const piece = fc.constantFrom("a", "b", "/", "*", "**", "**/", "?", "[ab]", "[^a]", ".ts", "😀", "src/");
  const part = fc.constantFrom("a", "b", "/", ".ts", "😀", "src/", "x");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 7 }), fc.array(part, { maxLength: 8 }), (glob, path) => {
      const [pattern, name] = [glob.join(""), path.join("")];
      fc.pre(globProblem(pattern) === null);
      expect(matcher([pattern])(name)).toBe(plainly(pattern).test(name));
    }),
    { numRuns: 3_000 },
  );
});

test("a list of globs asked about many names says the same as one that is asked about the last alone", () => {
  const globs = ["src/**/*.ts", "docs/*", "**/[ab]?.md"];
  const paths = Array.from({ length: 6_000 }, (_, n) => `src/${n.toString(36)}/${String.fromCodePoint(0x4e00 + n)}.ts`);
  expect(paths.filter(matcher(globs))).toEqual(paths);
  expect(matcher(globs)("docs/a/b")).toBe(matcher([...globs])("docs/a/b"));
});
