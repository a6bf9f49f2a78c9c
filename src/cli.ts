#!/usr/bin/env node
/** Entry of the command. `emit` is called by commands, perhaps often: it loads nothing else. */
import { keepCompiledCode } from "./compile-cache.ts";
import { FileWriter } from "./file-writer.ts";

/** As package.json says: what the tests run on. */
const NEEDED = 24;
const major = Number(process.versions.node.split(".")[0]);

if (major < NEEDED) {
  process.stderr.write(
    `stagewright needs Node ${NEEDED} or later, this is ${process.versions.node}: npx node@${NEEDED} ${process.argv[1]} …\n`,
  );
  process.exitCode = 2;
} else {
  let lost = false;
  const onLost = (error: NodeJS.ErrnoException): void => {
    // Whoever reads our output may stop reading, and wants no more of it.
    if (error.code === "EPIPE" || error.code === "EIO" || lost) return;
    lost = true;
    process.stderr.write(`stagewright: stdout could not be written: ${error.message}\n`);
    // Said after the command was over, or before: see below.
    process.exitCode ||= 1;
  };
  keepCompiledCode(process.env);
  const words = process.argv.slice(2);
  if (words[0] === "emit") {
    const { emit } = await import("./cli/emit.ts");
    process.exitCode = emit(words.slice(1), process.env, onLost) || Number(lost);
  } else if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) {
    const { VERSION } = await import("./cli/version.ts");
    new FileWriter(1, onLost).write(`${VERSION}\n`);
  } else {
    process.stdout.on("error", onLost);
    // A log that cannot be written (a full disk) has nowhere to say so.
    process.stderr.on("error", () => undefined);
    const { ProxyError, useProxies } = await import("./proxy.ts");
    try {
      await useProxies(process.env);
      const { main } = await import("./cli/program.ts");
      process.exitCode = (await main(process.argv, process.env)) || Number(lost);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      process.stderr.write(`stagewright: ${error.message}\n`);
      process.exitCode = 2;
    }
  }
}
