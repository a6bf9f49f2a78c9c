import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import MarkdownIt from "markdown-it";
import { describe, expect, it } from "vitest";
import {
  byteLength,
  clean,
  clip,
  codeBlock,
  codeSpan,
  commandData,
  commandProperty,
  html,
  lastLines,
  markdown,
  mermaidLabel,
  oneLine,
  workflowCommand,
} from "../../src/report/escape.ts";

/** Reads as GitHub does where it matters: HTML is passed through, tables and strikethrough exist, links are found. */
const parser = new MarkdownIt({ html: true, linkify: true });
// Finds addresses with an invisible character in their domain, which GitHub does not.
parser.linkify.set({ fuzzyEmail: false });

/** Strings that mean something to Markdown, HTML, workflow commands or a terminal. */
const nasty = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(
      fc.constantFrom(
        ..."\\`*_[]()|~$<>&#-+=!:;%@\"' \t\n\r\u001b\u0000\u202e\ud83d\u2028abc1.".split(""),
        "<script>",
        "```",
        "~~~",
        "](http://x)",
        "| --- |",
        "::error::",
        "%0A",
        "\u001b[31m",
        "section ",
        "GH-1",
        "www.a.b",
        "https://a.b",
        "-->",
        "&lt;",
        "\n\n    ",
        "1. ",
        "@org/team",
      ),
      { maxLength: 30 },
    )
    .map((parts) => parts.join("")),
);

/** The visible text of inline Markdown, and the kinds of its tokens. */
function read(source: string): { text: string; kinds: Set<string> } {
  const tokens = parser.parse(source, {});
  const inline = tokens.flatMap((token) => token.children ?? []);
  return {
    text: inline.map((token) => (token.type === "softbreak" ? "\n" : token.content)).join(""),
    kinds: new Set([...tokens.map((token) => token.type), ...inline.map((token) => token.type)]),
  };
}

const invisible = (text: string): string => text.replaceAll("\u200B", "");

describe("markdown", () => {
  it.each([
    ["**bold** _it_ `code`"],
    ["<img src=x onerror=alert(1)>"],
    ["[click](https://evil.example)"],
    ["![image](x)"],
    ["# heading"],
    ["- item"],
    ["1. item"],
    ["1) item"],
    ["> quote"],
    ["~~gone~~ $x^2$"],
    ["&copy; &#64;"],
    ["---"],
    ["==="],
    ["see https://evil.example/a and www.evil.example"],
    ["<!-- hidden"],
    ["a | b"],
    ["```"],
    ["\\"],
    ["\\*"],
  ])("shows %j as it is", (text) => {
    const { text: shown, kinds } = read(markdown(text));
    expect(invisible(shown)).toBe(text);
    expect(
      [...kinds].every((kind) =>
        ["paragraph_open", "inline", "paragraph_close", "text", "text_special"].includes(kind),
      ),
    ).toBe(true);
  });

  it("leaves no mention, issue number or address that GitHub would link", () => {
    const text = markdown("@octocat #12 GH-12 https://x.y www.x.y a@b.c");
    expect(text).not.toMatch(/@\w|#\d|GH-\d|:\/\/|www\.\w/u);
  });

  it("shows any text as itself, in one paragraph without formatting", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const { text: shown, kinds } = read(markdown(text));
        const plain = invisible(oneLine(text)).trim();
        expect(invisible(shown).trim()).toBe(plain);
        for (const kind of kinds) expect(kind).toMatch(/^(paragraph_(open|close)|inline|text|text_special)$/u);
      }),
    );
  });

  it("keeps any text within its table cell", () => {
    fc.assert(
      fc.property(nasty, nasty, (a, b) => {
        const source = `| x | y |\n| --- | --- |\n| ${markdown(a)} | ${codeSpan(b)} |`;
        const cells = parser.parse(source, {}).filter((token) => token.type === "td_open");
        expect(cells).toHaveLength(2);
      }),
    );
  });
});

describe("codeSpan", () => {
  it("shows any text as itself", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const line = oneLine(text);
        // The bar is escaped for tables, where the backslash disappears again.
        const source = `| x |\n| --- |\n| ${codeSpan(text)} |`;
        const spans = parser.parse(source, {}).flatMap((token) => token.children ?? []);
        const span = spans.filter((token) => token.type === "code_inline").map((token) => token.content);
        if (line === "") expect(span).toEqual([]);
        else if (!line.includes("\\|")) expect(span).toEqual([line]);
      }),
    );
  });
});

describe("codeBlock", () => {
  it("holds any text: nothing inside ends it", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const tokens = parser.parse(`${codeBlock(text)}\n\nafter`, {});
        expect(tokens.map((token) => token.type)).toEqual(["fence", "paragraph_open", "inline", "paragraph_close"]);
        expect(tokens[0]?.content).toBe(`${clean(text).trimEnd()}\n`);
      }),
    );
  });
});

describe("html", () => {
  it("leaves no markup and gives the text back", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const escaped = html(text);
        expect(escaped).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/u);
        const back = escaped
          .replaceAll("&lt;", "<")
          .replaceAll("&gt;", ">")
          .replaceAll("&quot;", '"')
          .replaceAll("&#39;", "'")
          .replaceAll("&amp;", "&");
        expect(back).toBe(clean(text));
      }),
    );
  });
});

describe("clean", () => {
  it.each([
    ["terminal colours", "\u001b[31mred\u001b[0m", "red"],
    ["a link that a terminal hides", "\u001b]8;;https://x\u0007text\u001b]8;;\u0007", "text"],
    ["text that reads backwards", "a\u202Eb\u2066c", "abc"],
    ["a progress bar's carriage returns", "10%\r20%\r\n30%", "10%\n20%\n30%"],
    ["NUL and bell", "a\u0000b\u0007", "ab"],
    ["half a character", "a\ud83d", "a\ufffd"],
  ])("takes out %s", (_, text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  it("leaves as little of whole terminal sequences as Node does", () => {
    const number = fc.nat({ max: 9999 }).map(String);
    const final = fc.constantFrom(..."ABCDGHJKPRTZcfghilmnqrsuy");
    const control = fc
      .tuple(fc.constantFrom("\u001b[", "\u009b", "\u001b[?"), fc.array(number, { maxLength: 4 }), final)
      .map(([start, numbers, last]) => `${start}${numbers.join(";")}${last}`);
    const link = fc
      .tuple(fc.webUrl(), fc.constantFrom("\u0007", "\u001b\\", "\u009c"))
      .map(([url, end]) => `\u001b]8;;${url.replace(/[^-\w/#&.:=?%@~]/g, "_")}${end}`);
    const words = fc.string({ unit: fc.constantFrom(..."abz019 ;[]m()") });
    fc.assert(
      fc.property(fc.array(fc.oneof(control, link, words)), (parts) => {
        // Between two parts stands what no sequence goes on with.
        const text = parts.join("\n");
        expect(clean(text)).toBe(stripVTControlCharacters(text));
      }),
    );
  });

  it("leaves what follows an unfinished sequence", () => {
    expect(clean("a\u001b]8;;b")).toBe("a8;;b");
    expect(clean("a\u001b]b\u001b]c\u0007d\u009dé")).toBe("abdé");
    expect(clean("\u001b[31")).toBe("31");
  });

  it("changes nothing the second time", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(clean(clean(text))).toBe(clean(text));
      }),
    );
  });
});

describe("clip", () => {
  it("never splits a character, never exceeds the limit, and marks what is gone", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 40 }), (text, max) => {
        const clipped = clip(text, max);
        expect(clipped.length).toBeLessThanOrEqual(max);
        expect(clipped.isWellFormed()).toBe(true);
        if (text.length > max) expect(clipped.endsWith("…")).toBe(true);
        else expect(clipped).toBe(text);
      }),
    );
  });
});

describe("mermaidLabel", () => {
  it("leaves nothing that the chart's grammar reads as syntax", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const label = mermaidLabel(text);
        expect(label).toMatch(/^[\p{L}\p{N} ._/@()+…-]+$/u);
        expect(label.length).toBeLessThanOrEqual(60);
      }),
    );
  });
});

describe("workflowCommand", () => {
  /** How the runner undoes the escapes. */
  const data = (text: string) => text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
  const property = (text: string) => data(text.replaceAll("%3A", ":").replaceAll("%2C", ","));

  it("writes one line, whatever the message and the properties are", () => {
    fc.assert(
      fc.property(nasty, nasty, (title, message) => {
        const line = workflowCommand("error", { title, line: 3 }, message);
        expect(line).not.toMatch(/[\r\n]/u);
        const match = /^::error (?:title=(?<title>[^,:]*),)?line=3::(?<message>.*)$/su.exec(line);
        expect(match).not.toBeNull();
        expect(data(match?.groups?.message ?? "")).toBe(message);
        expect(property(match?.groups?.title ?? "")).toBe(title);
      }),
    );
  });

  it("leaves out properties that are missing", () => {
    expect(workflowCommand("notice", { title: null, file: "" }, "x")).toBe("::notice::x");
    expect(commandData("100%\n")).toBe("100%25%0A");
    expect(commandProperty("a:b,c")).toBe("a%3Ab%2Cc");
  });
});

describe("lastLines", () => {
  it("gives the end, without empty lines after it", () => {
    expect(lastLines("a\nb\nc\n\n", 2)).toBe("b\nc");
  });
  it("clips a line that is far too long", () => {
    expect(byteLength(lastLines("x".repeat(1_000_000), 5))).toBeLessThan(2100);
  });
});
