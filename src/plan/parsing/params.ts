/**
 * Parameters: declared with a type, given from outside, substituted as `{{params.name}}` in fields that are not
 * commands. Commands never see them substituted (nobody can inject through a value): they read STAGEWRIGHT_PARAM_<NAME>.
 */
import { PLAN_BOUNDS } from "../bounds.ts";
import type { Scalar } from "../plan.ts";
import { paramShape } from "../schema.ts";
import { isMapping, type Keys, type Place, parseKeys } from "./key-parser.ts";
import { quote } from "./problems.ts";

type ParamType = "string" | "integer" | "number" | "boolean";
type Declared = Keys<typeof paramShape>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
/** Characters that all placeholders of a file may become together. */
const MOST_INSERTED = PLAN_BOUNDS.fileBytes;
/** Keys whose values are commands or parts of one, wherever the plan's own keys are meant. */
const COMMAND_KEYS: ReadonlySet<string> = new Set(["run", "command", "args", "from", "workload"]);
/** Below these keys stand the user's own names. */
const DATA_KEYS: ReadonlySet<string> = new Set(["env", "tasks", "values"]);

/**
 * The value of every parameter: as given, else its default. A parameter that is given but not declared, not given and
 * without default, or of another type is a problem. `place` is that of the `params` key.
 */
export function readParams(
  declared: unknown,
  given: Readonly<Record<string, string>>,
  place: Place,
): ReadonlyMap<string, Scalar> {
  const values = new Map<string, Scalar>();
  const names = isMapping(declared) ? Object.keys(declared) : [];
  if (declared !== undefined && !isMapping(declared)) {
    place.problems.error(
      place.source.at(place.path),
      `params: expected a mapping of names to {type, default}, got ${quote(declared)}`,
    );
  }
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) {
      const message = `the parameter ${quote(name)} was given, but this plan does not declare it${place.problems.suggest(name, names)}`;
      place.problems.error(place.source.keyAt(place.path), message);
    }
  }
  const variables = new Map<string, string>();
  for (const [name, declaration] of Object.entries(isMapping(declared) ? declared : {})) {
    const path = [...place.path, name];
    const other = variables.get(name.toUpperCase());
    variables.set(name.toUpperCase(), name);
    if (!NAME.test(name)) {
      place.problems.error(
        place.source.keyAt(path),
        `params.${quote(name)}: expected a name of letters, digits and "_", at most 64`,
      );
    } else if (other !== undefined) {
      const message = `params.${name} and params.${other} would share the variable STAGEWRIGHT_PARAM_${name.toUpperCase()}`;
      place.problems.error(place.source.keyAt(path), message);
    }
    if (!isMapping(declaration)) {
      place.problems.error(
        place.source.at(path),
        `params.${name}: expected a mapping such as {type: integer, default: 3}, got ${quote(declaration)}`,
      );
      continue;
    }
    const value = readParam(name, declaration, given, { ...place, path });
    values.set(name, value);
  }
  return values;
}

function readParam(
  name: string,
  declaration: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, string>>,
  place: Place,
): Scalar {
  const declared: Declared = parseKeys(paramShape, declaration, place);
  const type = declared.type ?? "string";
  const { source, problems } = place;
  const known = declared.type !== undefined || !Object.hasOwn(declaration, "type");
  if (known && declared.default !== undefined && !isOfType(declared.default, type)) {
    problems.error(
      source.at([...place.path, "default"]),
      `params.${name}.default: expected ${spoken(type)}, got ${quote(declared.default)}`,
    );
  }
  for (const [index, choice] of (known ? (declared.enum ?? []) : []).entries()) {
    if (!isOfType(choice, type)) {
      problems.error(
        source.at([...place.path, "enum", index]),
        `params.${name}.enum: expected ${spoken(type)}, got ${quote(choice)}`,
      );
    }
  }
  const text = Object.hasOwn(given, name) ? given[name] : undefined;
  const value = text === undefined ? declared.default : fromText(text, type);
  if (text !== undefined && value === undefined) {
    problems.error(
      source.keyAt(place.path),
      `the parameter ${quote(name)} was given as ${quote(text)}, expected ${spoken(type)}`,
    );
    return standIn(type);
  }
  if (value === undefined) {
    // Of another shape: told already.
    if (!Object.hasOwn(declaration, "default")) {
      problems.error(
        source.keyAt(place.path),
        `the parameter ${quote(name)} has no default, expected it to be given (--param ${name}=…)`,
      );
    }
    return standIn(type);
  }
  if (declared.enum !== undefined && !declared.enum.includes(value)) {
    const at = text === undefined ? source.at([...place.path, "default"]) : source.keyAt(place.path);
    problems.error(
      at,
      `the parameter ${quote(name)} is ${quote(value)}, expected one of ${declared.enum.slice(0, 20).map(quote).join(", ")}`,
    );
  }
  return value;
}

/** In place of a value that is a problem already: so that it makes no further ones where it would be inserted. */
function standIn(type: ParamType): Scalar {
  return type === "boolean" ? true : type === "string" ? "1" : 1;
}

function isOfType(value: Scalar, type: ParamType): boolean {
  return type === "integer" ? Number.isSafeInteger(value) : typeof value === type;
}

function fromText(text: string, type: ParamType): Scalar | undefined {
  if (text.length > PLAN_BOUNDS.param || text.includes("\0")) {
    return undefined;
  }
  switch (type) {
    case "string":
      return text;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : undefined;
    case "integer":
      return /^-?[0-9]{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
    case "number":
      return /^-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?$/.test(text) && Number.isFinite(Number(text))
        ? Number(text)
        : undefined;
  }
}

function spoken(type: ParamType): string {
  switch (type) {
    case "string":
      return `text of at most ${PLAN_BOUNDS.param} characters`;
    case "integer":
      return "a whole number";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
  }
}

/**
 * The value with every placeholder replaced. A text that is one placeholder becomes the parameter's own value (so
 * `repeat: "{{params.epochs}}"` is a number); within a longer text its spelling is inserted.
 */
export function substitute(value: unknown, params: ReadonlyMap<string, Scalar>, place: Place): unknown {
  return walk(value, place, { params, data: false, budget: { characters: MOST_INSERTED } });
}

interface Walk {
  readonly params: ReadonlyMap<string, Scalar>;
  /** What may still be inserted: a long value in many places must not fill the memory. */
  readonly budget: { characters: number };
  /** Below a key whose members have the user's own names: `run` is no command there. */
  readonly data: boolean;
}

function walk(value: unknown, place: Place, context: Walk): unknown {
  if (typeof value === "string") {
    return value.includes("{{") ? replace(value, place, context) : value;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => walk(item, { ...place, path: [...place.path, index] }, context));
  }
  if (!isMapping(value)) {
    return value;
  }
  const members: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    const path = [...place.path, key];
    if (!context.data && COMMAND_KEYS.has(key)) {
      warnOfPlaceholders(member, { ...place, path });
      members[key] = member;
    } else {
      // `tasks: {from: …}` is a command, `tasks: [{from: …}]` a value.
      const data = context.data || (DATA_KEYS.has(key) && !(key === "tasks" && isMapping(member)));
      members[key] = walk(member, { ...place, path }, { ...context, data });
    }
  }
  return members;
}

const PLACEHOLDER = /\{\{\s{0,9}params\.([^\s{}]{1,100})\s{0,9}\}\}/g;

function replace(text: string, place: Place, context: Walk): Scalar {
  const at = () => place.source.at(place.path);
  const lookUp = (name: string): Scalar | undefined => {
    const value = context.params.get(name);
    if (value === undefined) {
      const message = `unknown parameter ${quote(name)}${place.problems.suggest(name, context.params.keys())}`;
      place.problems.error(at(), `${message}, expected one that "params" declares`);
      return undefined;
    }
    context.budget.characters -= String(value).length;
    if (context.budget.characters < 0) {
      place.problems.error(at(), `the parameters put in would be longer than ${MOST_INSERTED} characters together`);
      return undefined;
    }
    return value;
  };
  const [first] = text.matchAll(PLACEHOLDER);
  if (first !== undefined && first[0] === text.trim()) {
    return lookUp(first[1] ?? "") ?? text;
  }
  return text.replaceAll(PLACEHOLDER, (whole, name: string) => String(lookUp(name) ?? whole));
}

function warnOfPlaceholders(value: unknown, place: Place): void {
  if (typeof value === "string") {
    for (const [, name = ""] of value.matchAll(PLACEHOLDER)) {
      const message = `parameters are not put into commands, expected $STAGEWRIGHT_PARAM_${name.toUpperCase()} in place of {{params.${name}}}`;
      place.problems.warning(place.source.at(place.path), message);
    }
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      warnOfPlaceholders(item, { ...place, path: [...place.path, index] });
    }
  } else if (isMapping(value)) {
    for (const [key, member] of Object.entries(value)) {
      warnOfPlaceholders(member, { ...place, path: [...place.path, key] });
    }
  }
}
