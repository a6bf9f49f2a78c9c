/** What becomes of a secret on its way to a log or to GitHub, however it is spelt. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Masks } from "../../src/agent/masks.ts";

function masksOf(...values: readonly string[]): Masks {
  const masks = new Masks();
  for (const value of values) masks.add(value);
  return masks;
}

const SECRET = 'pä55/w0rd+with "quotes" & <marks>';
const TOKEN = "ghs_16C7e42F292c6912E7710c838347Ae178B4a";
const KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEA\n}\n-----END KEY-----\n";

describe("a masked value", () => {
  it.each([
    ["as it is", SECRET],
    ["URL-encoded", encodeURIComponent(SECRET)],
    ["URL-encoded in lower case", encodeURIComponent(SECRET).toLowerCase()],
    ["as in a form", new URLSearchParams({ a: SECRET }).toString().slice(2)],
    ["with every byte encoded", Buffer.from(SECRET).toString("hex").replace(/../g, "%$&")],
    ["in JSON", JSON.stringify(SECRET).slice(1, -1)],
    [
      "in JSON for web pages",
      JSON.stringify(SECRET)
        .slice(1, -1)
        .replace(/[<>&/]/g, (c) => (c === "/" ? "\\/" : `\\u00${c.charCodeAt(0).toString(16)}`)),
    ],
    ["in JSON of ASCII", JSON.stringify(SECRET).slice(1, -1).replace("ä", "\\u00e4")],
    [
      "in XML",
      SECRET.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
    ],
    ["quoted for a shell", SECRET.replace(/[^\w/+ä]/g, "\\$&")],
    ["in colours", [...SECRET].map((c, i) => (i === 0 ? c : `\u001b[3${i % 8}m${c}`)).join("")],
    ["with invisible characters", [...SECRET].join("\u200b")],
  ])("is not shown %s", (_how, spelt) => {
    const masks = masksOf(SECRET);
    expect(masks.text(`before ${spelt} after`)).toBe("before *** after");
    expect(masks.lines()(`before ${spelt} after`)).toBe("before *** after");
  });

  it("is not shown in base64, wherever it begins in what is encoded, in both alphabets", () => {
    const masks = masksOf(TOKEN, SECRET);
    for (const secret of [TOKEN, SECRET]) {
      for (const before of ["", "x", "xy", "xyz", "x-access-token:"]) {
        for (const encoding of ["base64", "base64url"] as const) {
          const encoded = Buffer.from(`${before}${secret}${before}`).toString(encoding);
          const shown = masks.text(`key=${encoded} done`);
          expect(shown).toMatch(/^key=.*\*\*\*.*done$/u);
          // What is left can no longer be decoded to any part of it.
          const left = /^key=([^*]*)\*\*\*([^*]*) done$/u.exec(shown);
          expect((left?.[1] ?? "").length).toBeLessThanOrEqual(Math.ceil((before.length * 4) / 3));
          expect((left?.[2] ?? "").length).toBeLessThanOrEqual(Math.ceil((before.length * 4) / 3) + 4);
        }
      }
    }
  });

  it.each([8, 16, 20, 39])("is not shown by lines of %i characters, nor are they in base64", (width) => {
    const masks = masksOf(TOKEN);
    for (const text of [`${TOKEN}!`, Buffer.from(`machine login ${TOKEN}`).toString("base64")]) {
      const lines = text.match(new RegExp(`.{1,${width}}`, "g")) ?? [];
      const whole = masks.text(lines.map((line) => `  ${line}`).join("\n"));
      const line = masks.lines();
      const one = lines.map((each) => line(`  ${each}`)).join("\n");
      for (const shown of [whole, one]) {
        const seen = shown.replaceAll(/[\s*]/g, "");
        const known = Buffer.from(seen, "base64").toString("latin1") + seen;
        for (let at = 0; at + 8 <= TOKEN.length; at += 1) expect(known).not.toContain(TOKEN.slice(at, at + 8));
        expect(shown.split("\n")).toHaveLength(lines.length);
      }
    }
  });

  it("of several lines is not shown by any of them, though its shortest lines stay readable", () => {
    const masks = masksOf(KEY);
    expect(masks.text(`key:\n${KEY}end {}`)).toBe(`key:\n${"***\n".repeat(5)}end {}`);
    expect(masks.text("MIIEvQIBADANBgkqhkiG9w0 and }")).toBe("*** and }");
    expect(masks.text(JSON.stringify({ key: KEY }))).not.toContain("MIIE");
    expect(masks.text(Buffer.from(KEY.trimEnd()).toString("base64"))).toBe("***==");
  });

  it("of one or two characters is masked as it is, and in no other spelling", () => {
    const masks = masksOf("7", "ab");
    expect(masks.text("7, ab, %61b, a\nb, YWI=")).toBe("***, ***, %61b, a\nb, YWI=");
  });

  it("hides nothing of what is not it", () => {
    const masks = masksOf(TOKEN, SECRET, KEY);
    for (const text of [
      "https://github.com/acme/widgets/actions/runs/1?a=%20b+c",
      "\u001b[31mred\u001b[0m \\n \\u0041 &amp; aGVsbG8gd29ybGQsIGhlbGxv",
      "/usr/local/lib/python3/site-packages/numpy",
    ]) {
      expect(masks.text(text)).toBe(text);
      expect(masks.lines()(text)).toBe(text);
    }
  });

  it("is never shown whole, whatever stands around it and however it is cut into lines", () => {
    const word = fc.string({
      unit: fc.constantFrom("a", "B", "7", "/", "+", " ", "é", "=", "%", "\\"),
      minLength: 6,
      maxLength: 30,
    });
    const secret = word.filter((value) => value.trim().length >= 6 && !value.includes("\\") && !value.includes("%"));
    fc.assert(
      fc.property(secret, word, word, fc.integer({ min: 10, max: 40 }), (value, before, after, width) => {
        const masks = masksOf(value);
        const text = `${before}|${value}|${after}`;
        const line = masks.lines();
        const shown = (text.match(new RegExp(`.{1,${width}}`, "gsu")) ?? []).map(line).join("");
        expect(shown).not.toContain(value);
        expect(masks.text(text)).not.toContain(value);
      }),
    );
  });
});
