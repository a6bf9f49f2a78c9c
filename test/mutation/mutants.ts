/** All small changes of a source text that a test should notice. Found in its syntax tree, so each is still a program. */
import { type ESTree, parseSync, Visitor } from "rolldown/utils";
import type { Source } from "./rooms.ts";

export interface Mutation {
  /** What is changed: offsets into the text, the end not included. */
  readonly start: number;
  readonly end: number;
  readonly by: string;
  /** The kind of the change: `boundary`, `condition`, … */
  readonly kind: string;
}

export interface Mutant {
  readonly source: Source;
  readonly mutation: Mutation;
}

const BOUNDARY: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };
const OPPOSITE: Readonly<Record<string, string>> = {
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
  "===": "!==",
  "!==": "===",
};
const ARITHMETIC: Readonly<Record<string, string>> = { "+": "-", "-": "+", "*": "/", "/": "*", "%": "*" };
const ASSIGNMENT: Readonly<Record<string, string>> = { "+=": "-=", "-=": "+=", "??=": "=", "||=": "=" };
const METHOD: Readonly<Record<string, string>> = {
  some: "every",
  every: "some",
  min: "max",
  max: "min",
  floor: "ceil",
  ceil: "floor",
  startsWith: "endsWith",
  endsWith: "startsWith",
  find: "findLast",
  findLast: "find",
};
/** Calls that give back something of what they are called on: without them, that itself. */
const DROPPED: ReadonlySet<string> = new Set(
  "filter sort toSorted reverse toReversed slice trim trimEnd trimStart toLowerCase toUpperCase replace replaceAll".split(
    " ",
  ),
);
/** A string that programs compare, rather than one that people read. */
const CODE = /^[a-z][\w./-]*$/i;

/** In the order of the text. No two of them are the same change. */
export function mutationsOf(file: string, text: string): readonly Mutation[] {
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const found = new Map<string, Mutation>();
  let types = 0;

  const add = (kind: string, { start, end }: ESTree.Span, by: string): void => {
    if (types > 0 || text.slice(start, end) === by) return;
    const key = `${start} ${end} ${by}`;
    if (!found.has(key)) found.set(key, { start, end, by, kind });
  };
  const of = ({ start, end }: ESTree.Span): string => text.slice(start, end);
  /** The operator between two nodes: what stands there beside white space and comments is nothing else. */
  const operator = (left: ESTree.Span, right: ESTree.Span, sign: string): ESTree.Span => {
    const start = text.indexOf(sign, left.end);
    return { start, end: Math.min(start + sign.length, right.start) };
  };
  const condition = (test: ESTree.Expression | null, ...values: readonly string[]): void => {
    if (test === null || test.type === "Literal") return;
    for (const value of values) add("condition", test, value);
  };
  const code = (node: ESTree.Node | null): void => {
    if (node?.type === "Literal" && typeof node.value === "string" && CODE.test(node.value)) add("string", node, '""');
    if (node?.type === "TSAsExpression" || node?.type === "TSSatisfiesExpression") code(node.expression);
  };
  const inTypes = () => {
    types += 1;
  };
  const outOfTypes = () => {
    types -= 1;
  };

  const visitor = new Visitor({
    TSLiteralType: inTypes,
    "TSLiteralType:exit": outOfTypes,
    TSImportType: inTypes,
    "TSImportType:exit": outOfTypes,

    BinaryExpression(node) {
      const sign = operator(node.left, node.right, node.operator);
      const arithmetic = ARITHMETIC[node.operator];
      const boundary = BOUNDARY[node.operator];
      const opposite = OPPOSITE[node.operator];
      if (arithmetic !== undefined && !(node.operator === "+" && isText(node))) add("arithmetic", sign, arithmetic);
      if (boundary !== undefined) add("boundary", sign, boundary);
      if (opposite !== undefined) add("comparison", sign, opposite);
      if (opposite !== undefined) for (const side of [node.left, node.right]) code(side);
    },
    LogicalExpression(node) {
      const [left, right] = [of(node.left), of(node.right)];
      if (node.operator !== "??") add("logic", node, `(${left} ${node.operator === "&&" ? "||" : "&&"} ${right})`);
      add("operand", node, left);
      add("operand", node, right);
      if (node.operator === "??") code(node.right);
    },
    UnaryExpression(node) {
      if (node.operator === "!" || node.operator === "-") add("negation", node, of(node.argument));
    },
    UpdateExpression(node) {
      const by = node.operator === "++" ? "--" : "++";
      const start = node.prefix ? node.start : node.end - 2;
      add("arithmetic", { start, end: start + 2 }, by);
    },
    AssignmentExpression(node) {
      const by = ASSIGNMENT[node.operator];
      if (by === undefined || (node.operator === "+=" && isText(node.right))) return;
      add("arithmetic", operator(node.left, node.right, node.operator), by);
    },
    IfStatement: (node) => condition(node.test, "true", "false"),
    ConditionalExpression(node) {
      condition(node.test, "true", "false");
      code(node.consequent);
      code(node.alternate);
    },
    WhileStatement: (node) => condition(node.test, "false"),
    DoWhileStatement: (node) => condition(node.test, "false"),
    ForStatement: (node) => condition(node.test, "false"),
    Literal(node) {
      if (typeof node.value === "boolean") add("boolean", node, String(!node.value));
    },
    SwitchCase: (node) => code(node.test),
    Property(node) {
      if (node.kind === "init") code(node.value);
    },
    ArrayExpression(node) {
      if (node.elements.length > 0) add("list", node, "[]");
      for (const element of node.elements) {
        code(element);
        if (element?.type === "SpreadElement") add("spread", element, "...[]");
      }
    },
    ObjectExpression(node) {
      for (const each of node.properties) if (each.type === "SpreadElement") add("spread", each, "...{}");
    },
    ArrowFunctionExpression(node) {
      if (node.expression) code(node.body);
    },
    ReturnStatement(node) {
      const { argument } = node;
      code(argument);
      if (argument !== null && argument.type !== "Literal" && !isNothing(argument))
        add("return", argument, "undefined");
    },
    ExpressionStatement: (node) => add("statement", node, ";"),
    ThrowStatement: (node) => add("statement", node, ";"),
    ContinueStatement: (node) => add("statement", node, ";"),
    BreakStatement: (node) => add("statement", node, ";"),
    MemberExpression(node) {
      if (!node.optional) return;
      const { start } = operator(node.object, node.property, "?.");
      add("optional", { start, end: start + 2 }, node.computed ? "" : ".");
    },
    CallExpression(node) {
      const { callee } = node;
      if (node.optional) {
        const start = text.indexOf("?.", callee.end);
        add("optional", { start, end: start + 2 }, "");
      }
      if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier" || callee.computed) return;
      const by = METHOD[callee.property.name];
      if (by !== undefined) add("method", callee.property, by);
      if (DROPPED.has(callee.property.name)) add("method", node, of(callee.object));
    },
  });
  visitor.visit(program);
  return [...found.values()].toSorted((a, b) => a.start - b.start || a.end - b.end || (a.by < b.by ? -1 : 1));
}

/** Whether it is text for sure: there is no other way to add to it. */
function isText(node: ESTree.Node): boolean {
  if (node.type === "Literal") return typeof node.value === "string";
  if (node.type === "BinaryExpression" && node.operator === "+") return isText(node.left) || isText(node.right);
  return node.type === "TemplateLiteral";
}

function isNothing(node: ESTree.Node): boolean {
  return node.type === "Identifier" && node.name === "undefined";
}

export function mutate(text: string, { start, end, by }: Mutation): string {
  return text.slice(0, start) + by + text.slice(end);
}

export interface Place {
  readonly line: number;
  /** The whole lines, as they are and as they become, on one line each. */
  readonly before: string;
  readonly after: string;
}

export function placeOf(text: string, mutation: Mutation): Place {
  const from = text.lastIndexOf("\n", mutation.start - 1) + 1;
  const end = text.indexOf("\n", mutation.end);
  const to = end === -1 ? text.length : end;
  const after = text.slice(from, mutation.start) + mutation.by + text.slice(mutation.end, to);
  return {
    line: text.slice(0, mutation.start).split("\n").length,
    before: oneLine(text.slice(from, to)),
    after: oneLine(after),
  };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
