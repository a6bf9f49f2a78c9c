/**
 * Says of a source text which of its functions are entered, and how often anything in it goes round: each function and
 * loop begins with `__tick(site)`. Which tests reach a place is known from it, and a change that never comes to an end
 * is stopped after a number of ticks, the same on a slow machine as on a fast one.
 */
import { type ESTree, parseSync, Visitor } from "rolldown/utils";

/** A function, or (the first) the text itself. Offsets. */
export interface Site {
  readonly start: number;
  readonly end: number;
}

export interface Instrumented {
  readonly text: string;
  /** Their ticks have the numbers `first`, `first + 1`, … */
  readonly sites: readonly Site[];
}

export function instrument(file: string, text: string, first: number): Instrumented {
  const { program } = parseSync(file, text);
  const sites: Site[] = [{ start: 0, end: text.length }];
  const inserts: { at: number; what: string }[] = [{ at: 0, what: `__tick(${first});` }];
  const tickIn = (body: ESTree.Node, site: number, isExpression: boolean): void => {
    const tick = `__tick(${first + site})`;
    if (isExpression) {
      inserts.push({ at: body.start, what: `(${tick}, ` }, { at: body.end, what: ")" });
    } else if (body.type === "BlockStatement") {
      inserts.push({ at: body.start + 1, what: `${tick};` });
    } else {
      inserts.push({ at: body.start, what: `{${tick};` }, { at: body.end, what: "}" });
    }
  };
  const enter = (node: ESTree.Function | ESTree.ArrowFunctionExpression): void => {
    if (node.body === null) return;
    const site = sites.push({ start: node.start, end: node.end }) - 1;
    tickIn(node.body, site, node.type === "ArrowFunctionExpression" && node.expression);
  };
  const goRound = ({ body }: { body: ESTree.Statement }): void => tickIn(body, 0, false);
  new Visitor({
    FunctionDeclaration: enter,
    FunctionExpression: enter,
    ArrowFunctionExpression: enter,
    ForStatement: goRound,
    ForOfStatement: goRound,
    ForInStatement: goRound,
    WhileStatement: goRound,
    DoWhileStatement: goRound,
  }).visit(program);
  let result = text;
  for (const { at, what } of inserts.toSorted((a, b) => b.at - a.at)) {
    result = result.slice(0, at) + what + result.slice(at);
  }
  return { text: result, sites };
}

/** The innermost site that holds this offset. */
export function siteAt(sites: readonly Site[], offset: number): number {
  let innermost = 0;
  for (const [index, { start, end }] of sites.entries()) {
    const { start: from, end: to } = sites[innermost] ?? { start: 0, end: Infinity };
    if (start <= offset && offset < end && end - start <= to - from) innermost = index;
  }
  return innermost;
}
