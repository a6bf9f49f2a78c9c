/** `npm start`: the main job on this machine alone. `--once` does it, verifies every step, and exits. */
import { parseArgs } from "node:util";
import { type DemoEnvironment, NotReady, openDemoEnvironment } from "./environment.ts";
import { trainRun } from "./expectations.ts";
import { createNarrator, invitation, title } from "./narrator.ts";
import { StepFailed, tellStory } from "./story.ts";

const USAGE = `npm start [-- --once] [-- --port N]

  --once      tell the story, verify every step against what the sandbox then holds, and exit: 0 only if all hold
  --port N    where the sandbox listens on 127.0.0.1 (default: any free port)`;

interface Options {
  readonly once: boolean;
  readonly port: number;
}

function readOptions(args: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: { once: { type: "boolean" }, port: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) return "help";
  const port = Number(values.port ?? "0");
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port ${values.port}: expected 0 to 65535`);
  return { once: values.once === true, port };
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

/** Runs the demo and returns the exit code. */
async function main(options: Options, interrupted: AbortController): Promise<number> {
  const { signal } = interrupted;
  let house: DemoEnvironment | undefined;
  try {
    house = await openDemoEnvironment({ port: options.port, env: process.env, signal });
    const { world, scene } = house;
    print(title(world, scene.repository));
    const narrator = createNarrator(world, print);
    narrator.say("sandbox", `listens at ${house.url}`, "it stands in for GitHub");
    narrator.say("app", `listens at ${house.appUrl}`, "a process of its own, connected over HTTP");
    const pull = await tellStory({
      world,
      scene,
      narrator,
      store: house.store,
      labelRequests: house.labelRequests,
      doomed: house.doomed,
      signal,
      verified: (step) => narrator.say("✓ verified", step),
    });
    if (options.once) {
      print("Every step was verified against what the sandbox holds.");
      return 0;
    }
    const { url, appUrl } = house;
    const repository = house.repositoryName;
    const runId = trainRun(world, scene, pull)?.id ?? 0;
    for (const line of invitation({ url, appUrl, repository, number: pull.number, runId })) print(line);
    return await untilOver(house, signal);
  } catch (error) {
    if (signal.aborted) return 130;
    complain(`✗ ${error instanceof Error ? error.message : String(error)}`);
    const expected = error instanceof StepFailed || error instanceof NotReady;
    if (!expected && error instanceof Error && error.stack !== undefined) complain(error.stack);
    for (const line of house?.diagnosis() ?? []) complain(line);
    return 1;
  } finally {
    await house?.close();
  }
}

/** Stays up until Ctrl-C, or until something it needs has died. */
async function untilOver(house: DemoEnvironment, signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const doom = house.doomed();
      if (doom === null) return;
      clearInterval(timer);
      complain(`✗ ${doom}`);
      for (const line of house.diagnosis()) complain(line);
      resolve(1);
    }, 500);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      resolve(130);
    });
  });
}

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    if (!interrupted.signal.aborted) complain("\nEnding: the app, the jobs and the sandbox are stopped.");
    interrupted.abort(new Error(`interrupted by ${name}`));
  });
}

let options: Options | "help";
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  complain(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(2);
}
if (options === "help") {
  print(USAGE);
  process.exit(0);
}
process.exitCode = await main(options, interrupted);
