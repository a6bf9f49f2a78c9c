/**
 * `${{ … }}`: expressions and templates, evaluated with GitHub's own expression package, so that the sandbox and
 * GitHub agree on coercion, case and operators.
 */
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";

/** Anything an expression can read or yield. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };

/** The named contexts in reach (`github`, `env`, `matrix`, …) and the functions beyond the built-in ones. */
export interface Scope {
  readonly contexts: Readonly<Record<string, Value>>;
  readonly functions: Readonly<Record<string, (...values: readonly string[]) => boolean | string>>;
}

/** The expression cannot be read, names what does not exist here, or cannot be evaluated. */
export class ExpressionProblem extends Error {
  override readonly name = "ExpressionProblem";
}

/** `success()` and its like: a condition without one of them means `success() && (…)`. */
const STATUS_FUNCTIONS = ["success", "failure", "cancelled", "always"];

function compute(text: string, scope: Scope): data.ExpressionData {
  try {
    const tokens = new Lexer(text).lex().tokens;
    const functions = Object.entries(scope.functions).map(([name, call]) => ({
      name,
      minArgs: 0,
      maxArgs: 255,
      call: (...values: data.ExpressionData[]) => {
        const result = call(...values.map((value) => value.coerceString()));
        return typeof result === "boolean" ? new data.BooleanData(result) : new data.StringData(result);
      },
    }));
    const tree = new Parser(tokens, Object.keys(scope.contexts), functions).parse();
    const context = JSON.parse(JSON.stringify(scope.contexts), data.reviver) as data.Dictionary;
    return new Evaluator(tree, context, new Map(functions.map((one) => [one.name.toLowerCase(), one]))).evaluate();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ExpressionProblem(`the expression "${text.trim()}" cannot be evaluated: ${why}`, { cause });
  }
}

type Piece = { readonly kind: "text" | "expression"; readonly text: string };

/** Splits `a ${{ b }} c` into its pieces; a quoted `}}` inside an expression does not end it. */
function pieces(template: string): readonly Piece[] {
  const found: Piece[] = [];
  let rest = template;
  for (;;) {
    const start = rest.indexOf("${{");
    if (start < 0) {
      if (rest !== "") found.push({ kind: "text", text: rest });
      return found;
    }
    if (start > 0) found.push({ kind: "text", text: rest.slice(0, start) });
    let quoted = false;
    let end = -1;
    for (let at = start + 3; at < rest.length; at += 1) {
      if (rest[at] === "'") quoted = !quoted;
      else if (!quoted && rest.startsWith("}}", at)) {
        end = at;
        break;
      }
    }
    if (end < 0) throw new ExpressionProblem(`"\${{" without its "}}" in "${template}"`);
    found.push({ kind: "expression", text: rest.slice(start + 3, end) });
    rest = rest.slice(end + 2);
  }
}

function toValue(result: data.ExpressionData): Value {
  return JSON.parse(JSON.stringify(result, data.replacer)) as Value;
}

/** The value of a bare expression (no `${{`). Throws ExpressionProblem. */
export function evaluate(text: string, scope: Scope): Value {
  return toValue(compute(text, scope));
}

/**
 * The value of a workflow's scalar: a template that is one expression alone keeps its type, any other becomes text.
 * What is not a string has no expressions and comes back as it is.
 */
export function expand(template: Value, scope: Scope): Value {
  if (Array.isArray(template)) return template.map((one) => expand(one, scope));
  if (template !== null && typeof template === "object") {
    return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, expand(value, scope)]));
  }
  if (typeof template !== "string") return template;
  const parts = pieces(template);
  const [only] = parts;
  if (parts.length === 1 && only?.kind === "expression") return evaluate(only.text, scope);
  return parts.map((part) => (part.kind === "text" ? part.text : compute(part.text, scope).coerceString())).join("");
}

/** As `expand`, as the text that an environment variable or an input gets (true → "true", null → ""). */
export function expandText(template: Value, scope: Scope): string {
  if (typeof template === "string") {
    return pieces(template)
      .map((part) => (part.kind === "text" ? part.text : compute(part.text, scope).coerceString()))
      .join("");
  }
  if (template === null) return "";
  return typeof template === "object" ? JSON.stringify(template) : String(template);
}

/**
 * Whether an `if:` holds. It may stand with or without `${{ }}`; without a status function it means
 * `success() && (…)`, and no condition at all means `success()`.
 */
export function holds(condition: Value | undefined, scope: Scope): boolean {
  if (condition === undefined || condition === null || condition === "") return truthy(evaluate("success()", scope));
  if (typeof condition !== "string") return truthy(evaluate(`success() && ${String(condition)}`, scope));
  const trimmed = condition.trim();
  const parts = pieces(trimmed);
  const [only] = parts;
  const bare = parts.length === 1 && only?.kind === "expression" ? only.text : trimmed;
  if (parts.some((part) => part.kind === "expression") && parts.length > 1) {
    // "${{ a }} == b" is text, and text that is not empty is true: GitHub does the same.
    return truthy(evaluate("success()", scope)) && expandText(trimmed, scope) !== "";
  }
  return truthy(evaluate(callsStatusFunction(bare) ? bare : `success() && (${bare})`, scope));
}

/** Whether a condition decides about success, failure and cancellation itself. */
export function callsStatusFunction(text: string): boolean {
  const { tokens } = new Lexer(text).lex();
  return tokens.some(
    (token, at) =>
      STATUS_FUNCTIONS.includes(token.lexeme.toLowerCase()) &&
      tokens[at + 1]?.lexeme === "(" &&
      isIdentifier(token.lexeme),
  );
}

const isIdentifier = (lexeme: string): boolean => /^[A-Za-z_][\w-]*$/.test(lexeme);

/** What GitHub takes for true: everything but false, 0, "", null and NaN. */
export function truthy(value: Value): boolean {
  return !(value === null || value === false || value === "" || value === 0 || Number.isNaN(value));
}
