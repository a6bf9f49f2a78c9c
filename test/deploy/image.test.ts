/**
 * What the Dockerfile says, step by step, where no container runs: each RUN as a script, each COPY as a copy, and then the
 * entry as the image's user, who may write nowhere but in /data. `npm ci` itself takes long: in its place stand links to
 * what the lock file has it install, unless STAGEWRIGHT_IMAGE=whole says otherwise, as releases do.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { freePort } from "../app/server-process.ts";
import { KEYS } from "../keys.ts";

interface Instruction {
  readonly word: string;
  readonly rest: string;
}
const TEXT = readFileSync("Dockerfile", "utf8");
const INSTRUCTIONS = TEXT.split("\n")
  .filter((line) => line.trim() !== "" && !line.startsWith("#"))
  .map((line): Instruction => ({ word: line.split(" ", 1)[0] ?? "", rest: line.slice(line.indexOf(" ") + 1) }));
/** In order, each with its instructions. */
const STAGES = INSTRUCTIONS.reduce<{ name: string; steps: Instruction[] }[]>((stages, each) => {
  if (each.word === "FROM") stages.push({ name: / AS (?<name>\w+)$/u.exec(each.rest)?.groups?.name ?? "", steps: [] });
  stages.at(-1)?.steps.push(each);
  return stages;
}, []);
const last = STAGES.at(-1)?.steps ?? [];
const saying = (word: string) => last.filter((each) => each.word === word).map(({ rest }) => rest);
const [uid = 0] = (saying("USER")[0] ?? "").split(":").map(Number);
const ROOT = mkdtempSync(join(tmpdir(), "stagewright-image-"));
chmodSync(ROOT, 0o755);
afterAll(() => rmSync(ROOT, { recursive: true, force: true }), 300_000);
const WHOLE = process.env.STAGEWRIGHT_IMAGE === "whole";

/** What `npm ci --omit=dev` installs, by links. */
function linkPackages(folder: string): void {
  const { packages } = z
    .object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) })
    .parse(JSON.parse(readFileSync("package-lock.json", "utf8")));
  const installed = Object.entries(packages).filter(
    ([path, { dev }]) => /^node_modules\/(?:@[^/]+\/)?[^/]+$/u.test(path) && dev !== true && existsSync(path),
  );
  for (const [path] of installed) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(realpathSync(path), join(folder, path));
  }
}

/** Carries a stage out below a folder of its own. */
function build({ name, steps }: (typeof STAGES)[number]): string {
  const root = join(ROOT, name === "" ? "image" : name);
  let workdir = "/";
  for (const { word, rest } of steps) {
    if (word === "WORKDIR") {
      workdir = rest;
      mkdirSync(join(root, workdir), { recursive: true });
    } else if (word === "RUN") {
      if (!WHOLE && rest.startsWith("npm ci --omit=dev ")) {
        linkPackages(join(root, workdir));
        continue;
      }
      const env = { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", npm_config_prefer_offline: "true" };
      execFileSync("/bin/sh", ["-ec", rest], { cwd: join(root, workdir), env, stdio: "pipe" });
    } else if (word === "COPY") {
      const words = rest.split(" ");
      const from = words.find((each) => each.startsWith("--from="))?.slice("--from=".length);
      const paths = words.filter((each) => !each.startsWith("--"));
      const to = paths.pop() ?? "";
      for (const path of paths) {
        const target = join(
          root,
          to.startsWith("/") ? "" : workdir,
          to,
          paths.length > 1 ? path : to.endsWith("/") ? path : "",
        );
        mkdirSync(dirname(target), { recursive: true });
        cpSync(from === undefined ? path : join(ROOT, from, path), target, { recursive: true, verbatimSymlinks: true });
        if (words.some((each) => each.startsWith("--chown=")) && process.getuid?.() === 0) chownSync(target, uid, uid);
      }
    }
  }
  return root;
}

describe("the image", () => {
  it("is of Node 24, its last stage runs nothing, and its user is nobody's", () => {
    expect(STAGES.map(({ name }) => name)).toEqual(["packages", ""]);
    for (const { rest } of INSTRUCTIONS.filter(({ word }) => word === "FROM"))
      expect(rest).toMatch(/\bnode:24-\w+-slim\b/u);
    expect(saying("RUN")).toEqual([]);
    expect(uid).toBeGreaterThan(1_000);
    // What is not named is not sent to whoever builds it.
    const sent = readFileSync(".dockerignore", "utf8")
      .split("\n")
      .filter((line) => line !== "");
    expect(sent[0]).toBe("*");
    const copied = INSTRUCTIONS.filter(({ word, rest }) => word === "COPY" && !rest.includes("--from=")).flatMap(
      ({ rest }) => rest.split(" ").slice(0, -1),
    );
    for (const path of copied) {
      expect(sent, path).toContain(`!${path}`);
      expect(existsSync(path), path).toBe(true);
    }
  });

  it("starts with what its steps put there, writes in /data alone, is healthy, and stops in order", async () => {
    for (const stage of STAGES) build(stage);
    const image = join(ROOT, "image");
    expect(existsSync(join(image, "app/node_modules/vitest"))).toBe(false);
    // No file of the checkout that is secret or large comes with it.
    expect(globSync("{test,.env,.git,data,docs}", { cwd: join(image, "app") })).toEqual([]);
    const data = join(image, "data");
    const port = await freePort();
    const env = {
      PATH: process.env.PATH ?? "",
      ...Object.fromEntries(
        saying("ENV").flatMap((line) => line.split(" ").map((each) => each.split("=") as [string, string])),
      ),
      DATABASE_URL: `sqlite:${join(data, "stagewright.db")}`,
      HOST: "127.0.0.1",
      PORT: `${port}`,
      APP_ID: "1",
      PRIVATE_KEY: KEYS.privateKey,
      WEBHOOK_SECRET: "x9Zk-2pQ7-vB4m-tR8w-uN3e",
      // Nobody answers there: it starts all the same, and says that it is not ready.
      GHE_HOST: "127.0.0.1:9",
      GHE_PROTOCOL: "http",
    };
    // Where that user cannot even read the packages (they lie in somebody's home) it is who runs the tests.
    const other = { uid, gid: uid };
    const script = "require('node:fs').readFileSync(process.argv[1])";
    const known = [process.execPath, ["-e", script, realpathSync("node_modules/zod/package.json")]] as const;
    const isRoot = process.getuid?.() === 0;
    const user = isRoot && spawnSync(...known, other).status === 0 ? other : {};
    if (!isRoot) execFileSync("chmod", ["-R", "a-w", join(image, "app")]);
    const [, ...entry] = JSON.parse(saying("ENTRYPOINT")[0] ?? "[]") as string[];
    const child = spawn(process.execPath, entry, { cwd: join(image, "app"), env, ...user, stdio: "pipe" });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
    try {
      const check = JSON.parse(
        / CMD (?<command>\[.*\])$/u.exec(saying("HEALTHCHECK")[0] ?? "")?.groups?.command ?? "[]",
      ) as string[];
      const healthy = () => spawnSync(process.execPath, check.slice(1), { env: { PORT: `${port}` } }).status === 0;
      const answers = () =>
        fetch(`http://127.0.0.1:${port}/healthz`).then(
          ({ ok }) => ok,
          () => false,
        );
      expect(healthy()).toBe(false);
      for (
        const deadline = Date.now() + 40_000;
        !(await answers()) && child.exitCode === null && Date.now() < deadline;
      ) {
        await sleep(50);
      }
      expect(healthy(), said).toBe(true);
      expect(existsSync(join(data, "stagewright.db"))).toBe(true);
      child.kill("SIGTERM");
      const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
      expect(code, said).toBe(0);
    } finally {
      child.kill("SIGKILL");
      if (!isRoot) execFileSync("chmod", ["-R", "u+w", join(image, "app")]);
    }
  }, 300_000);
});

describe("the unit for systemd", () => {
  const unit = readFileSync("deploy/systemd/stagewright.service", "utf8");
  const has = spawnSync("systemd-analyze", ["--version"]).status === 0;

  it.skipIf(!has)("is one that systemd takes", () => {
    // It looks for the program, too, which is elsewhere on other machines.
    const copy = join(ROOT, "stagewright.service");
    cpSync("deploy/systemd/stagewright.service", copy);
    execFileSync("sed", ["-i", `s#/usr/bin/node#${process.execPath}#`, copy]);
    const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", copy], { encoding: "utf8" });
    expect([status, stdout, stderr]).toEqual([0, "", ""]);
  });

  it("gives it longer to stop than it takes, and starts what exists", () => {
    expect(Number(/^TimeoutStopSec=(?<seconds>\d+)$/mu.exec(unit)?.groups?.seconds)).toBeGreaterThan(25);
    const files = /^ExecStart=\S+ -r (?<guard>\S+) (?<file>\S+)$/mu.exec(unit)?.groups ?? {};
    expect(files.file).toBe("app/main.ts");
    for (const file of Object.values(files)) expect(existsSync(file), file).toBe(true);
    expect(unit).toMatch(/^ProtectSystem=strict$/mu);
  });
});
