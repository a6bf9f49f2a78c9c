/**
 * Writes test/deploy/kubernetes.json: of Kubernetes' OpenAPI what the kinds in deploy/kubernetes are made of, as the package
 * @kubernetes/client-node has it, which is generated from it. Run where that package is unpacked:
 * `npm pack @kubernetes/client-node && tar xzf kubernetes-client-node-*.tgz && node scripts/kubernetes-excerpt.ts package`
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";

const KINDS = {
  "apps/v1 Deployment": "V1Deployment",
  "v1 Service": "V1Service",
  "v1 Secret": "V1Secret",
  "policy/v1 PodDisruptionBudget": "V1PodDisruptionBudget",
  "networking.k8s.io/v1 NetworkPolicy": "V1NetworkPolicy",
  "networking.k8s.io/v1 Ingress": "V1Ingress",
  // Of a chart's values: the template of its pods.
  "template PodTemplateSpec": "V1PodTemplateSpec",
} as const;
const attributes = z.array(z.object({ baseName: z.string(), type: z.string() }));

const folder = resolve(process.argv[2] ?? "package");
const models: Record<string, { fields: Record<string, string>; required: readonly string[] }> = {};
let version = "";

async function take(name: string): Promise<void> {
  if (name in models) return;
  const declared = readFileSync(join(folder, "dist/gen/models", `${name}.d.ts`), "utf8");
  version = /OpenAPI spec version: (?<version>\S+)/u.exec(declared)?.groups?.version ?? version;
  const module: Record<string, { readonly attributeTypeMap?: unknown }> = await import(
    pathToFileURL(join(folder, "dist/gen/models", `${name}.js`)).href
  );
  const fields = attributes.parse(module[name]?.attributeTypeMap);
  const required = [...declared.matchAll(/^ {4}'(?<name>[^']+)': /gmu)].map((match) => match.groups?.name ?? "");
  models[name] = { fields: Object.fromEntries(fields.map(({ baseName, type }) => [baseName, type])), required };
  for (const { type } of fields) {
    for (const [inner] of type.matchAll(/V\d\w+/gu)) await take(inner);
  }
}

for (const name of Object.values(KINDS)) await take(name);
const { version: from } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
const source = `Kubernetes' OpenAPI ${version}, by @kubernetes/client-node ${from}`;
writeFileSync("test/deploy/kubernetes.json", `${JSON.stringify({ source, kinds: KINDS, models })}\n`);
