/** Runs a sandbox as a process: `stagewright sandbox --seed seed.json`. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { writePrivateFile } from "../private-file.ts";
import { createSandbox, type Sandbox } from "./index.ts";
import { plant, seedSchema } from "./seed.ts";
import { addUserToken } from "./world/index.ts";

const usage = `usage: stagewright sandbox [options]
  --seed FILE          what there is from the start (JSON)
  --port N             where it listens on 127.0.0.1 (default: any free port)
  --runners N          runs workflows on so many runners (default: 0, workflows only queue)
  --small-ids          only webhook deliveries have ids beyond 2^53, as on GitHub so far
  --credentials FILE   writes apps' keys and webhook secrets and people's tokens there (readable by its owner alone)`;

/** As a shell would say it: 128 and the number of SIGINT. */
const INTERRUPTED = 130;
const seedLimit = 16 * 1024 * 1024;
const runnersGraceMs = 5_000;

/** What the caller got wrong: exit 2. */
class Usage extends Error {}

async function start(argv: readonly string[]): Promise<{ sandbox: Sandbox; close: () => Promise<void> }> {
  const { values } = parseOptions(argv);
  const port = count(values.port ?? "0", "--port", 65_535);
  const runners = count(values.runners ?? "0", "--runners", 64);
  const sandbox = createSandbox({ largeIds: values["small-ids"] !== true });
  await sandbox.listen(port);
  const closers = [() => sandbox.close()];
  const close = async () => {
    for (const one of closers.reverse()) await one();
  };
  try {
    if (runners > 0) {
      const { startActions } = await import("./workflows/start.ts");
      const root = fileURLToPath(new URL("../..", import.meta.url));
      const actions = await startActions(sandbox, {
        root,
        runners,
        report: (error) => console.error("runner:", error),
      });
      closers.push(() => actions.close(runnersGraceMs));
    }
    if (values.seed !== undefined) await plantFile(sandbox, values.seed);
    if (values.credentials !== undefined)
      writePrivateFile(values.credentials, JSON.stringify(credentials(sandbox), null, 2));
  } catch (error) {
    await close();
    throw error;
  }
  return { sandbox, close };
}

function parseOptions(argv: readonly string[]) {
  const option = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: { seed: option, port: option, runners: option, credentials: option, "small-ids": { type: "boolean" } },
    });
  } catch (error) {
    throw new Usage(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}

function count(text: string, name: string, most: number): number {
  const found = Number(text);
  if (!/^\d+$/.test(text) || found > most)
    throw new Usage(`${name} takes a number from 0 to ${most}, not ${JSON.stringify(text)}`);
  return found;
}

async function plantFile(sandbox: Sandbox, file: string): Promise<void> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new Usage(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (text.length > seedLimit) throw new Usage(`${file} is larger than ${seedLimit} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Usage(`${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const seed = seedSchema.safeParse(value);
  if (!seed.success) throw new Usage(`${file}:\n${z.prettifyError(seed.error)}`);
  try {
    await plant(sandbox.world, seed.data, dirname(resolve(file)));
  } catch (error) {
    throw new Usage(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What another process needs to sign in. */
function credentials({ world, url }: Sandbox) {
  return {
    url,
    apps: [...world.apps.values()]
      .filter((one) => one.privateKey !== null)
      .map((one) => ({
        slug: one.slug,
        id: one.id,
        client_id: one.clientId,
        private_key: one.privateKey,
        webhook_secret: one.webhook?.secret ?? null,
      })),
    tokens: Object.fromEntries(
      [...world.accounts.values()]
        .filter((one) => one.type === "User")
        .map((one) => [one.login, addUserToken(world, one)]),
    ),
  };
}

async function run(argv: readonly string[]): Promise<void> {
  const { sandbox, close } = await start(argv);
  console.log(`The sandbox listens at ${sandbox.url}`);
  let isEnding = false;
  const end = (signal: "SIGINT" | "SIGTERM") => {
    if (isEnding) return;
    isEnding = true;
    close().then(
      // Ctrl-C is an interruption, being told to end is not.
      () => process.exit(signal === "SIGINT" ? INTERRUPTED : 0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.once("SIGINT", end).once("SIGTERM", end);
  // The command that started it is gone.
  process.once("disconnect", () => end("SIGTERM"));
}

try {
  const argv = process.argv.slice(2);
  if (argv.includes("--help")) console.log(usage);
  else await run(argv);
} catch (error) {
  console.error(error instanceof Usage ? error.message : error);
  process.exitCode = error instanceof Usage ? 2 : 1;
}
