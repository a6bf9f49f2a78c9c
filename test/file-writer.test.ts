import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileWriter } from "../src/file-writer.ts";

/** Several times what a pipe holds. */
const LINES = Array.from({ length: 30 }, (_, index) => `${index}: ${"ä".repeat(10_000)}\n`);

// A named pipe stands in for the runner's: neither side of it waits for the other.
describe("a pipe that is full", () => {
  let folder = "";
  let reader = -1;
  let writer = -1;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stagewright-pipe-"));
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  });

  afterEach(() => {
    for (const file of [reader, writer]) if (file >= 0) closeSync(file);
    rmSync(folder, { recursive: true });
  });

  /** Reads until so many bytes are there. */
  async function read(bytes: number): Promise<string> {
    const parts: Buffer[] = [];
    for (let got = 0; got < bytes; ) {
      const part = Buffer.alloc(65_536);
      try {
        const length = readSync(reader, part);
        parts.push(part.subarray(0, length));
        got += length;
      } catch {
        await sleep(1);
      }
    }
    return Buffer.concat(parts).toString("utf8");
  }

  it("gets everything in order once somebody reads", async () => {
    const lost: Error[] = [];
    const file = new FileWriter(writer, (error) => lost.push(error));
    for (const line of LINES) file.write(line);
    const text = LINES.join("");
    expect(await read(Buffer.byteLength(text))).toBe(text);
    expect(lost).toEqual([]);
  });

  it("gets everything although the process exits", async () => {
    const script = `
      import { FileWriter } from ${JSON.stringify(new URL("../src/file-writer.ts", import.meta.url).href)};
      const file = new FileWriter(1, (error) => { throw error; });
      for (let index = 0; index < 30; index += 1) file.write(index + ": " + "ä".repeat(10_000) + "\\n");
      process.exit(3);
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", writer, "inherit"],
    });
    const ended = once(child, "exit");
    const text = LINES.join("");
    expect(await read(Buffer.byteLength(text))).toBe(text);
    expect(await ended).toEqual([3, null]);
  });

  it("that nobody reads any more is told of once", () => {
    const lost: string[] = [];
    const file = new FileWriter(writer, (error) => lost.push(error.message));
    file.write("a\n");
    closeSync(reader);
    reader = -1;
    file.write("b\n");
    file.write("c\n");
    expect(lost).toEqual([expect.stringContaining("EPIPE")]);
  });
});
