/** What GitHub has and the sandbox has not is refused by name: a client that hears 404 believes that nothing is there. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultLimits, RateLimits } from "../../src/sandbox/auth/limits.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { description } from "../../src/sandbox/openapi/excerpt.ts";
import { RestHandler } from "../../src/sandbox/rest/handler.ts";
import { routes } from "../../src/sandbox/rest/routes.ts";
import { addUserToken } from "../../src/sandbox/world/index.ts";
import { furnish, type House } from "./house.ts";

let house: House;
let token: string;
beforeAll(async () => {
  house = await furnish();
  token = addUserToken(house.sandbox.world, house.alice);
});
afterAll(() => house.close());

const values: Readonly<Record<string, string>> = {
  owner: "acme",
  repo: "demo",
  org: "acme",
  branch: "main",
  username: "bob",
};
/** An address that the template stands for, of things that are there where that is easy. */
const filled = (template: string) => template.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "1");

async function ask(sandbox: Sandbox, method: string, path: string, authorization = `token ${token}`) {
  const url = new URL(`http://127.0.0.1${path}`);
  const outcome = await sandbox.answer({ method, url, headers: { authorization }, body: "" });
  if (outcome === "cut") throw new Error("cut");
  return { status: outcome.status, body: String(outcome.body) };
}

describe("an operation of GitHub's that is not served", () => {
  const others = Object.entries(description().excerpt.others).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, id]) => ({ method, path, id })),
  );

  it("is refused by name, every one of them", async () => {
    expect(others.length).toBeGreaterThan(1_000);
    const wrong: string[] = [];
    for (const { method, path, id } of others) {
      const { status, body } = await ask(house.sandbox, method, `/api/v3${filled(path)}`);
      const named = body.includes(JSON.stringify(`not implemented in the sandbox: ${method} ${path} (${id})`));
      if (status !== 501 || !named) wrong.push(`${method} ${path}: ${status} ${body.slice(0, 120)}`);
    }
    expect(wrong).toEqual([]);
  });

  it("is refused without the API's prefix, too, and whoever asks", async () => {
    for (const path of ["/search/issues", "/repos/acme/demo/branches/main/protection"])
      expect(await ask(house.sandbox, "GET", path, "basic bm86bm9uZQ==")).toMatchObject({ status: 501 });
  });

  it("takes nothing from those that are served", () => {
    const { world } = house.sandbox;
    const limits = new RateLimits(defaultLimits, world.now);
    const rest = new RestHandler({
      world,
      limits,
      description: description(),
      redeliver: () => {},
      checkResponses: true,
    });
    const lost = routes.filter(({ operation }) => {
      const [method = "", path = ""] = operation.split(" ");
      return rest.operationOf(method, filled(path)) !== operation;
    });
    expect(lost.map(({ operation }) => operation)).toEqual([]);
  });
});
