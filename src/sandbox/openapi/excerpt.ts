/** GitHub's REST description, as far as it is served here: made by scripts/openapi-excerpt.ts. */
import { readFileSync } from "node:fs";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { z } from "zod";

const schema = z.record(z.string(), z.unknown());

const excerptShape = z.object({
  source: z.string(),
  operations: z.record(
    z.string(),
    z.object({
      id: z.string(),
      path: schema,
      query: schema,
      body: schema.nullable(),
      bodyRequired: z.boolean(),
      responses: z.record(z.string(), schema.nullable()),
    }),
  ),
  schemas: z.record(z.string(), schema),
  /** What is not served: path, method, operation id. */
  others: z.record(z.string(), z.record(z.string(), z.string())),
});

export type Excerpt = z.infer<typeof excerptShape>;

export type Part = "path" | "query" | "body";

export interface Problem {
  /** `/output/summary`, or empty for the whole. */
  readonly at: string;
  readonly field: string;
  readonly message: string;
  readonly code: "missing_field" | "invalid";
}

/** Parsed once, when it is first asked for (a megabyte). Validators are compiled when they are first needed. */
export class Description {
  readonly excerpt: Excerpt;
  readonly #strict: Ajv;
  readonly #coercing: Ajv;
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(excerpt: Excerpt) {
    this.excerpt = excerpt;
    // GitHub's clients send times and addresses in more forms than the formats allow; they are read where they are used.
    const options = { strict: false, allErrors: true, validateFormats: false } as const;
    this.#strict = new Ajv(options);
    this.#coercing = new Ajv({ ...options, coerceTypes: true });
    for (const ajv of [this.#strict, this.#coercing])
      ajv.addSchema({ $id: "excerpt", schemas: relative(excerpt.schemas) });
  }

  /** Checks one part of a request. Path and query values are turned into the described types in place. */
  problems(operation: string, part: Part, value: unknown): Problem[] {
    const described = this.excerpt.operations[operation];
    if (described === undefined) throw new Error(`${operation} is not in the excerpt: run scripts/openapi-excerpt.ts`);
    if (part === "body") {
      if (value === undefined) {
        if (!described.bodyRequired) return [];
        return [{ at: "", field: "", message: "Body should be a JSON object", code: "missing_field" }];
      }
      if (described.body === null) return [];
    }
    const target = described[part];
    return target === null
      ? []
      : this.#run(`${operation} ${part}`, part === "body" ? this.#strict : this.#coercing, target, value);
  }

  /** Whether the operation has this parameter in its query. */
  takes(operation: string, parameter: string): boolean {
    const { properties } = this.excerpt.operations[operation]?.query ?? {};
    return Object.hasOwn(object(properties), parameter);
  }

  /** Checks what was answered. A status that is not described is a problem too. */
  responseProblems(operation: string, status: number, body: unknown): Problem[] {
    const described = this.excerpt.operations[operation]?.responses;
    const target = described?.[String(status)];
    if (target === undefined)
      return [{ at: "", field: "", message: `status ${status} is not described`, code: "invalid" }];
    return target === null ? [] : this.#run(`${operation} ${status}`, this.#strict, target, body);
  }

  #run(key: string, ajv: Ajv, target: unknown, value: unknown): Problem[] {
    let validate = this.#compiled.get(key);
    if (validate === undefined) {
      validate = ajv.compile({ ...object(relative(ajv === this.#coercing ? loosely(target) : target)) });
      this.#compiled.set(key, validate);
    }
    return validate(value) ? [] : (validate.errors ?? []).map(problem);
  }
}

/** `#/schemas/x` inside any schema means the excerpt's. */
function relative(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relative);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key,
      key === "$ref" && typeof part === "string" && part.startsWith("#/schemas/") ? `excerpt${part}` : relative(part),
    ]),
  );
}

/**
 * `oneOf` as `anyOf`. A path or a query is text, which is turned into the described types while it is checked: `17` can
 * be read as a number and as a text, so that it fits "either a number or a text" twice.
 */
function loosely(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(loosely);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key === "oneOf" ? "anyOf" : key, loosely(part)]),
  );
}

function object(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

function problem(error: ErrorObject): Problem {
  const missing = error.keyword === "required" ? String(error.params.missingProperty) : null;
  return {
    at: error.instancePath,
    field: missing ?? error.instancePath.split("/").at(-1) ?? "",
    message: error.message ?? error.keyword,
    code: missing === null ? "invalid" : "missing_field",
  };
}

let loaded: Description | null = null;

export function description(): Description {
  loaded ??= new Description(
    excerptShape.parse(JSON.parse(readFileSync(new URL("./excerpt.json", import.meta.url), "utf8"))),
  );
  return loaded;
}
