/** What outsiders name (checks, files, labels, branches) reaches workflows as inputs and payloads, and scripts by them. */
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { fill, TEMPLATE_KEYS, type TemplateKey, type TemplateValues } from "../../src/lifecycle/policy/templates.ts";

const VALUES: TemplateValues = {
  number: "7",
  sha: "0".repeat(40),
  base: "main",
  stage: "ready-for-qa",
  owner: "@org/team",
  ticket: "12",
  reason: "",
};

const FOREIGN = TEMPLATE_KEYS.filter((key) => key !== "stage" && key !== "owner");
const filled = (key: TemplateKey, value: string): string => fill(`{{${key}}}`, { ...VALUES, [key]: value });

it.each([
  ["a comment", "done #rest is gone", "done _rest is gone"],
  ["a comment at the beginning", "# gone", "_ gone"],
  ["an option", "--force", "__force"],
  ["an option in the middle", "check -rf / failed", "check _rf _ failed"],
  ["an option of some programs", "+set", "_set"],
  ["a file that curl reads", "@/etc/passwd x", "__etc/passwd x"],
  ["a key of YAML", "a: b", "a_ b"],
  ["a key of YAML at the end", "a:", "a_"],
  ["a list of YAML", "- a", "_ a"],
  ["a second document", "--- x", "___ x"],
  ["a workflow command", "::set-env name=A::b", "__set-env name_A::b"],
  ["a workflow command on a line of its own", "x\n::error::y", "x_::error::y"],
  ["an expression", "${{ secrets.TOKEN }}", "___ secrets.TOKEN __"],
  ["a command", "$(id) `id` && id; id | id > f", "__id_ _id_ __ id_ id _ id _ f"],
  ["what leaves quotes", "' \" \\", "_ _ _"],
])("%s does not get through", (_, reason, expected) => {
  expect(filled("reason", reason)).toBe(expected);
});

it("what is usual stays as it is", () => {
  const usual = "build (x): src/a-b.ts@v1.2, #12 by alice_b+c, .github/x:3";
  expect(filled("reason", usual)).toBe("build _x__ src/a-b.ts@v1.2, _12 by alice_b+c, .github/x:3");
  expect(filled("base", "release/1.x-beta#2")).toBe("release/1.x-beta#2");
  expect(fill("{{owner}}: {{stage}} #{{number}}", VALUES)).toBe("@org/team: ready-for-qa #7");
});

describe("whatever a value is", () => {
  const mark = fc.constantFrom(..."-#:@+,/. \n\t'\"`$(){}[]&|;<>*?!~%^=\\ab1é\u00a0\u2028\uff0d");
  const text = fc.oneof(
    fc.array(mark, { maxLength: 40 }).map((all) => all.join("")),
    fc.string({ unit: "binary" }),
  );
  const values = fc.tuple(fc.constantFrom(...FOREIGN), text);

  it("each of its words is no option, comment, file or key", () => {
    fc.assert(
      fc.property(values, ([key, value]) => {
        for (const word of filled(key, value).split(" ")) {
          expect(word).toMatch(/^(?:|[\p{L}\p{N}_.]|[\p{L}\p{N}_.][\p{L}\p{N}.,:/@#+_-]*[\p{L}\p{N}.,/@#+_-])$/u);
        }
      }),
    );
  });

  it("YAML reads it as the text that it is", () => {
    fc.assert(
      fc.property(values, ([key, value]) => {
        const line = `said ${filled(key, value)}`;
        expect(parse(`why: ${line}\nnext: 1\n`)).toEqual({ why: line.trimEnd(), next: 1 });
      }),
    );
  });

  it("a shell that has it in its text sees words, and does nothing else", () => {
    const lines = fc.sample(values, 200).map(([key, value]) => filled(key, value));
    const script = lines.map((line) => `printf '<%s>' ${line}; echo`).join("\n");
    const { stdout, stderr, status } = spawnSync("sh", ["-c", script], {
      encoding: "utf8",
      env: { LC_ALL: "C.UTF-8" },
    });
    const expected = lines.map((line) => {
      const words = line.split(" ").filter((word) => word !== "");
      return `${words.length === 0 ? "<>" : words.map((word) => `<${word}>`).join("")}\n`;
    });
    expect([status, stderr, stdout]).toEqual([0, "", expected.join("")]);
  });
});
