import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Account,
  addLabelsByName,
  addUserToken,
  asUser,
  install,
  type PullRequest,
  uninstall,
} from "../../../src/sandbox/world/index.ts";
import { Bench } from "../../cli/cli.ts";
import { type House, openHouse } from "../house.ts";

describe("pull requests that were open before the installation", () => {
  let house: House;
  let bench: Bench;
  let old: PullRequest[];
  beforeEach(async () => {
    house = await openHouse({ oneClock: true });
    bench = new Bench();
    await house.settled();
    const { world } = house.sandbox;
    for (const installation of world.installations.values()) uninstall(world, asUser(house.owner), installation);
    await house.settled();
    old = [house.open(), house.open()];
    house.later(60);
    const repositories = [house.repository];
    install(world, asUser(house.owner), { app: house.registered, account: house.owner, repositories });
    await house.settled();
    house.later(60);
  });
  afterEach(async () => {
    bench.dispose();
    await house.close();
  });

  const shown = () => old.map((pull) => house.stageLabels(pull));
  const adopt = (who: Account | string, ...more: string[]) => {
    const token = typeof who === "string" ? who : addUserToken(house.sandbox.world, who);
    return bench.run(["adopt", "acme/widget", "--app", house.url, ...more], { GITHUB_TOKEN: token });
  };
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${house.url}/api/adopt`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });

  it("are left by the sweep until something happens to them", async () => {
    const repository = await house.store.repository(house.repository.id);
    if (repository === null) throw new Error("The repository is not known.");
    const report = await house.app.engine().reconciliation.sweep(repository);
    await house.settled();
    expect(report).toMatchObject({ open: 2, left: 2, taken_up: 0 });
    expect(shown()).toEqual([[], []]);
    addLabelsByName(house.sandbox.world, asUser(house.rex), old[0] as PullRequest, ["documentation"]);
    await house.settled();
    expect(shown()).toEqual([["stage/pr-created"], []]);
  });

  it("are taken up when somebody who may write says so", async () => {
    const dry = await adopt(house.cleo, "--dry-run", "--json");
    expect({ ...dry, stdout: JSON.parse(dry.stdout) }).toMatchObject({
      code: 0,
      stdout: { repository: "acme/widget", dry_run: true, adopted: old.map((pull) => pull.number), known: 0 },
    });
    await house.settled();
    expect(shown()).toEqual([[], []]);

    const done = await adopt(house.cleo);
    expect(done.stderr).toBe("");
    expect(done.stdout).toBe(
      `acme/widget: 2 taken up (${old.map((pull) => `#${pull.number}`).join(", ")}), 0 already known\n`,
    );
    await house.settled();
    expect(shown()).toEqual([["stage/pr-created"], ["stage/pr-created"]]);
    expect((await house.history(old[0] as PullRequest))[0]?.reason).toBe("taken up: cleo asked for it");

    const again = await adopt(house.cleo);
    expect(again.stdout).toBe("acme/widget: 0 taken up, 2 already known\n");
  });

  it("are not taken up for those who may not", async () => {
    const reader = await adopt(house.mallory);
    expect(reader).toMatchObject({
      code: 1,
      stdout: "",
      stderr: "stagewright: Write permission on acme/widget is needed.\n",
    });
    const nobody = await adopt("ghp_this_is_nobodys_token");
    expect(nobody).toMatchObject({ code: 1, stderr: "stagewright: GitHub does not accept this token.\n" });
    expect((await post('{"repository":"acme/widget"}')).status).toBe(401);
    await house.settled();
    expect(shown()).toEqual([[], []]);
  });

  it("cannot be asked for in a wrong way", async () => {
    const authorization = `Bearer ${addUserToken(house.sandbox.world, house.cleo)}`;
    for (const body of [
      "",
      "{",
      "[]",
      '{"repository":"x"}',
      '{"repository":"a/b","more":1}',
      '{"repository":"../x"}',
    ]) {
      expect({ body, status: (await post(body, { authorization })).status }).toEqual({ body, status: 400 });
    }
    const form = { authorization, "content-type": "text/plain" };
    expect((await post('{"repository":"acme/widget"}', form)).status).toBe(415);
    expect((await post("x".repeat(10_000), { authorization })).status).toBe(413);
    expect((await post('{"repository":"acme/nothing"}', { authorization })).status).toBe(404);
    expect((await fetch(`${house.url}/api/adopt`)).status).toBe(405);

    const usage = async (args: string[], env: Record<string, string> = { GITHUB_TOKEN: "x" }) => {
      const { code, stderr } = await bench.run(["adopt", ...args], env);
      return { code, stderr };
    };
    expect(await usage(["widget", "--app", house.url])).toEqual({
      code: 2,
      stderr: "widget: expected a repository as OWNER/NAME\n",
    });
    expect(await usage(["acme/widget", "--app", "http://stagewright.example"])).toEqual({
      code: 2,
      stderr: "--app: expected https: your token is sent there\n",
    });
    expect(await usage(["acme/widget", "--app", house.url], { GITHUB_TOKEN: "", GH_TOKEN: "" })).toEqual({
      code: 2,
      stderr: "GITHUB_TOKEN: expected a token of somebody who may write to the repository\n",
    });
  });

  it("are asked for again when GitHub has trouble", async () => {
    house.sandbox.faults.place({ kind: "status", match: { operation: "Snapshots" }, status: 502 });
    const done = await adopt(house.cleo);
    expect(done.stderr).toContain("trying again in 5 s");
    expect(done).toMatchObject({ code: 0 });
    await house.settled();
    expect(shown()).toEqual([["stage/pr-created"], ["stage/pr-created"]]);
  });
});
