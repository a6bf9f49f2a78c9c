import MarkdownIt, { type Token } from "markdown-it";

/** Blocks as GitHub sees them; of what stands in a line only what hides or quotes: the rest is taken as written. */
const markdown = new MarkdownIt("zero", { html: true }).enable([
  "fence",
  "code",
  "blockquote",
  "list",
  "html_block",
  "heading",
  "lheading",
  "hr",
  "backticks",
  "html_inline",
  "newline",
]);

/**
 * The lines of a Markdown text that speak to the reader: what stands in code, a quotation, an HTML block or a comment is
 * quoted or hidden, and asks for nothing. Headings begin with their `#`, the items of lists with `- `.
 */
export function* proseLines(body: string): Generator<string> {
  const source = body.split(/\r\n?|\n/);
  let quotes = 0;
  let before: Token | null = null;
  let outer: Token | null = null;
  for (const token of markdown.parse(body, {})) {
    quotes += token.type === "blockquote_open" ? 1 : token.type === "blockquote_close" ? -1 : 0;
    if (token.type === "inline") {
      const lines = linesOf(token);
      const [first = 0, end = 0] = token.map ?? [];
      const exact = lines.length === end - first;
      for (const [index, line] of lines.entries()) {
        // A line that goes on after a quotation without its sign was hardly meant to be quoted.
        const quoted = quotes > 0 && (!exact || /^[\s>]*>/.test(source[first + index] ?? ""));
        if (!quoted) {
          yield index === 0 ? `${signOf(before, outer)}${line}` : line;
        }
      }
    }
    [outer, before] = [before, token];
  }
}

/** `before` opens the paragraph or heading, `outer` stands before that. */
function signOf(before: Token | null, outer: Token | null): string {
  if (before?.type === "heading_open") {
    return `${"#".repeat(Number(before.tag.slice(1)))} `;
  }
  return outer?.type === "list_item_open" ? "- " : "";
}

/** As written, but for comments and tags: what they divide is not one word. */
function linesOf(token: Token): string[] {
  const parts = (token.children ?? []).map((child) => {
    switch (child.type) {
      case "softbreak":
      case "hardbreak":
        return "\n";
      case "html_inline":
        return ` ${child.content.replaceAll(/[^\n]/g, "")}`;
      case "code_inline":
        return `${child.markup}${child.content}${child.markup}`;
      default:
        return child.content;
    }
  });
  return parts.join("").split("\n");
}
