/** The examples for Kubernetes are what its API takes, and they and the others name settings that there are. */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { readConfig } from "../../app/config.ts";

const excerpt = z
  .object({
    source: z.string(),
    kinds: z.record(z.string(), z.string()),
    models: z.record(z.string(), z.object({ fields: z.record(z.string(), z.string()), required: z.array(z.string()) })),
  })
  .parse(JSON.parse(readFileSync("test/deploy/kubernetes.json", "utf8")));

/** Lines for whatever is not what this type takes. */
function problems(value: unknown, type: string, path: string): string[] {
  const list = /^Array<(?<of>.+)>$/u.exec(type)?.groups?.of;
  if (list !== undefined) {
    return Array.isArray(value)
      ? value.flatMap((each, index) => problems(each, list, `${path}[${index}]`))
      : [`${path}: expected a list`];
  }
  const map = /^\{ \[key: string\]: (?<of>\w+); \}$/u.exec(type)?.groups?.of;
  const model = excerpt.models[type];
  if (map !== undefined || model !== undefined) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${path}: expected keys`];
    const missing = (model?.required ?? [])
      .filter((name) => !(name in value))
      .map((name) => `${path}: ${name} is missing`);
    const found = Object.entries(value).flatMap(([key, each]) => {
      const field = map ?? model?.fields[key];
      return field === undefined ? [`${path}: no field ${key}`] : problems(each, field, `${path}.${key}`);
    });
    return [...missing, ...found];
  }
  const right =
    type === "any" ||
    (type === "IntOrString" ? ["string", "number"] : [type === "Date" ? "string" : type]).includes(typeof value);
  return right ? [] : [`${path}: expected ${type}, found ${JSON.stringify(value)}`];
}

const object = z.looseObject({ apiVersion: z.string(), kind: z.string() });
function problemsOf(document: unknown): string[] {
  const { apiVersion, kind } = object.parse(document);
  const model = excerpt.kinds[`${apiVersion} ${kind}`];
  return model === undefined ? [`no such kind here: ${apiVersion} ${kind}`] : problems(document, model, kind);
}

const FILES = globSync("deploy/kubernetes/{,examples/}*.yaml");
const documentsOf = (file: string) =>
  parseAllDocuments(readFileSync(file, "utf8")).map((each) => each.toJS() as unknown);
const deployment = z
  .object({
    spec: z.object({
      template: z.object({
        spec: z.object({
          securityContext: z.object({ runAsNonRoot: z.literal(true), runAsUser: z.number() }),
          containers: z.tuple([
            z.object({
              env: z.array(z.object({ name: z.string(), value: z.string().optional() })),
              securityContext: z.object({
                readOnlyRootFilesystem: z.literal(true),
                allowPrivilegeEscalation: z.literal(false),
              }),
            }),
          ]),
        }),
      }),
    }),
  })
  .parse(documentsOf("deploy/kubernetes/app.yaml")[0]);
const compose = z
  .object({
    services: z.object({
      app: z.object({
        environment: z.record(z.string(), z.string()),
        read_only: z.literal(true),
        deploy: z.object({ replicas: z.literal(2) }),
      }),
    }),
  })
  .parse(parse(readFileSync("compose.yaml", "utf8")));

describe(`an object of Kubernetes (${excerpt.source})`, () => {
  it.each(FILES)("is one that its API takes: %s", (file) => {
    const documents = documentsOf(file);
    expect(documents.length).toBeGreaterThan(0);
    for (const document of documents) expect(problemsOf(document)).toEqual([]);
  });

  it("is found wrong by each kind of mistake", () => {
    const wrong = (change: (text: string) => string) =>
      parseAllDocuments(change(readFileSync("deploy/kubernetes/app.yaml", "utf8"))).flatMap((each) =>
        problemsOf(each.toJS()),
      );
    expect(wrong((text) => text.replace("replicas: 2", 'replicas: "2"'))).toEqual([
      'Deployment.spec.replicas: expected number, found "2"',
    ]);
    expect(wrong((text) => text.replace("automountServiceAccountToken", "automountToken"))).toEqual([
      "Deployment.spec.template.spec: no field automountToken",
    ]);
    expect(wrong((text) => text.replace("- name: app\n", "- names: app\n"))).toHaveLength(2);
    expect(wrong((text) => text.replace("kind: Service\n", "kind: Servise\n"))).toEqual([
      "no such kind here: v1 Servise",
    ]);
  });

  it("of the runners' chart has pods that its API takes", () => {
    const { template } = z
      .object({ template: z.unknown() })
      .parse(parse(readFileSync("deploy/kubernetes/runners/values.yaml", "utf8")));
    expect(problems(template, excerpt.kinds["template PodTemplateSpec"] ?? "", "template")).toEqual([]);
  });
});

/** As Kubernetes makes them: what is written `$(NAME)` is a variable that stands above. */
function inPod(env: readonly { readonly name: string; readonly value?: string | undefined }[]): Record<string, string> {
  const known: Record<string, string> = { POD_IP: "10.0.0.7", DATABASE_URL: "postgres://x@y/z" };
  const made: Record<string, string> = {};
  for (const { name, value = known[name] ?? "" } of env) {
    made[name] = value.replace(/\$\((?<of>\w+)\)/gu, (whole, of: string) => made[of] ?? whole);
  }
  return made;
}

describe("the app's settings", () => {
  const [container] = deployment.spec.template.spec.containers;
  const ofImage = { HOST: "0.0.0.0", PORT: "3000" };
  const given = {
    kubernetes: inPod(container.env),
    compose: Object.fromEntries(
      Object.entries(compose.services.app.environment).map(([name, value]) => [
        name,
        value.replace(/\$\{APP_ID:[^}]*\}/u, "1").replace(/\$\{\w+:[^}]*\}/gu, "example.com"),
      ]),
    ),
  };

  it.each(["kubernetes", "compose"] as const)("of %s are ones that it takes", (where) => {
    const { WEBHOOK_SECRET_FILE, PRIVATE_KEY_PATH, ...env } = given[where];
    expect([WEBHOOK_SECRET_FILE, PRIVATE_KEY_PATH].every((path) => path?.startsWith("/"))).toBe(true);
    const config = readConfig({ ...ofImage, ...env, WEBHOOK_SECRET: "x9Zk-2pQ7-vB4m-tR8w-uN3e" });
    expect(config.metricsAddress).toEqual({ host: "0.0.0.0", port: 9464 });
    expect(config.publicUrl).toMatch(/^https:/u);
    expect(config.databaseUrl).toMatch(/^postgres:/u);
    const documented = readFileSync("docs/app.md", "utf8");
    const names = Object.keys(given[where]).filter((name) => name !== "POD_IP");
    for (const name of names) expect(documented, name).toContain(`\`${name}\``);
  });

  it("of Kubernetes' replicas tell each other the pod's address", () => {
    const { WEBHOOK_SECRET_FILE, PRIVATE_KEY_PATH, ...env } = given.kubernetes;
    const config = readConfig({ ...ofImage, ...env, WEBHOOK_SECRET: "x9Zk-2pQ7-vB4m-tR8w-uN3e" });
    expect(config.replicaAddress).toBe("10.0.0.7:3000");
  });

  it("of Prometheus' configuration name the port of the metrics", () => {
    expect(readFileSync("deploy/prometheus/prometheus.yml", "utf8")).toContain("port: 9464");
  });
});
