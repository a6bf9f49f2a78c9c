/**
 * The lines of a Markdown text that speak to the reader: what stands in a fenced code block or an HTML comment is
 * quoted or hidden, and asks for nothing.
 */
export function* proseLines(body: string): Generator<string> {
  let fence: string | null = null;
  for (const line of body.replace(/<!--[\s\S]*?(?:-->|$)/g, "").split(/\r?\n/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== null) {
      fence = mark?.startsWith(fence) === true ? null : fence;
    } else if (mark !== undefined) {
      fence = mark;
    } else {
      yield line;
    }
  }
}
