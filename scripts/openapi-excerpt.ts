/**
 * Makes src/sandbox/openapi/excerpt.json out of GitHub's official REST description: the operations that the sandbox
 * serves, with what they refer to, as JSON Schema; and an index of all others (path, method, operation id), so that they
 * can be refused by name.
 *
 * By hand: `node scripts/openapi-excerpt.ts` fetches the package @octokit/openapi into a temporary folder (a download
 * of 29 MB, unpacked 385 MB: too much for a dependency), or `node scripts/openapi-excerpt.ts path/to/api.github.com.json`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { routes } from "../src/sandbox/rest/routes.ts";

type Json = null | boolean | number | string | Json[] | JsonObject;
type JsonObject = { [key: string]: Json };

const target = new URL("../src/sandbox/openapi/excerpt.json", import.meta.url);
const file = "package/generated/api.github.com.json";

function fetchDescription(): { text: string; source: string } {
  const given = process.argv[2];
  if (given !== undefined) return { text: readFileSync(given, "utf8"), source: "@octokit/openapi" };
  const folder = mkdtempSync(join(tmpdir(), "openapi-"));
  try {
    execFileSync("npm", ["pack", "--silent", "@octokit/openapi"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const archive = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
    execFileSync("tar", ["xzf", archive, file], { cwd: folder });
    return { text: readFileSync(join(folder, file), "utf8"), source: archive.replace(/\.tgz$/, "") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function object(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

const { text, source } = fetchDescription();
const description: JsonObject = object(JSON.parse(text));
const components = object(description.components);
const usedSchemas = new Set<string>();

function resolve(value: Json | undefined): JsonObject {
  const found = object(value);
  if (typeof found.$ref !== "string") return found;
  const [, , kind = "", name = ""] = found.$ref.split("/");
  return object(object(components[kind])[name]);
}

/** Keywords that say nothing about validity. Formats stay. */
const dropped = new Set([
  "description",
  "title",
  "example",
  "examples",
  "deprecated",
  "externalDocs",
  "xml",
  "readOnly",
  "writeOnly",
  "discriminator",
]);

/** OpenAPI 3.0's schema dialect to plain JSON Schema: `nullable` becomes a type or an alternative. */
function schema(value: Json | undefined): JsonObject {
  const from = object(value);
  if (typeof from.$ref === "string") {
    const name = from.$ref.split("/").at(-1) ?? "";
    usedSchemas.add(name);
    return { $ref: `#/schemas/${name}` };
  }
  const to: JsonObject = {};
  for (const [key, part] of Object.entries(from)) {
    if (dropped.has(key) || key.startsWith("x-") || key === "nullable") continue;
    if (key === "properties" || key === "patternProperties") {
      to[key] = Object.fromEntries(Object.entries(object(part)).map(([name, property]) => [name, schema(property)]));
    } else if (key === "items" || key === "not") to[key] = schema(part);
    else if (key === "additionalProperties") to[key] = typeof part === "boolean" ? part : schema(part);
    else if ((key === "allOf" || key === "anyOf" || key === "oneOf") && Array.isArray(part)) to[key] = part.map(schema);
    else if (part !== undefined) to[key] = part;
  }
  if (from.nullable !== true) return to;
  if (typeof to.type === "string" && to.oneOf === undefined && to.anyOf === undefined && to.allOf === undefined) {
    to.type = [to.type, "null"];
    if (Array.isArray(to.enum) && !to.enum.includes(null)) to.enum = [...to.enum, null];
    return to;
  }
  return { anyOf: [to, { type: "null" }] };
}

function jsonBody(content: Json | undefined): JsonObject | null {
  const json = object(object(content)["application/json"]);
  return json.schema === undefined ? null : schema(json.schema);
}

function operation(path: JsonObject, from: JsonObject): JsonObject {
  const parameters = [
    ...(Array.isArray(path.parameters) ? path.parameters : []),
    ...(Array.isArray(from.parameters) ? from.parameters : []),
  ].map(resolve);
  const gather = (where: string): JsonObject => {
    const chosen = parameters.filter((parameter) => parameter.in === where);
    return {
      type: "object",
      properties: Object.fromEntries(chosen.map((parameter) => [String(parameter.name), schema(parameter.schema)])),
      required: chosen.filter((parameter) => parameter.required === true).map((parameter) => String(parameter.name)),
    };
  };
  const request = resolve(from.requestBody);
  const responses: JsonObject = {};
  for (const [status, response] of Object.entries(object(from.responses))) {
    if (/^[23]/.test(status)) responses[status] = jsonBody(resolve(response).content);
  }
  return {
    id: from.operationId ?? "",
    path: gather("path"),
    query: gather("query"),
    body: jsonBody(request.content),
    bodyRequired: request.required === true,
    responses,
  };
}

const served = new Set<string>(routes.map((route) => route.operation));
const operations: JsonObject = {};
const others: Record<string, Record<string, Json>> = {};
// Older spellings of addresses that stand in the description under a newer one, too.
const doubles = new Set(["/repos/{owner}/{repo}/compare/{base}...{head}"]);
for (const [path, item] of Object.entries(object(description.paths))) {
  if (doubles.has(path)) continue;
  for (const [method, from] of Object.entries(object(item))) {
    if (!/^(get|post|put|patch|delete)$/.test(method)) continue;
    const key = `${method.toUpperCase()} ${path}`;
    if (served.delete(key)) operations[key] = operation(object(item), object(from));
    else others[path] = { ...others[path], [method.toUpperCase()]: object(from).operationId ?? "" };
  }
}
if (served.size > 0) throw new Error(`not in the description: ${[...served].join(", ")}`);

// The description's own mistake: it asks of an installation's account to be a user and an enterprise at once here.
usedSchemas.add("installation");
const installations = object(operations["GET /app/installations"]);
installations.responses = { "200": { type: "array", items: { $ref: "#/schemas/installation" } } };

const schemas: JsonObject = {};
for (const name of usedSchemas) schemas[name] = schema(object(components.schemas)[name]); // grows while it is walked
const excerpt = { source, operations, schemas, others };
writeFileSync(target, `${JSON.stringify(excerpt)}\n`);
console.log(
  `${Object.keys(operations).length} operations, ${usedSchemas.size} schemas, ${Object.keys(others).length} other paths`,
);
