/** `stagewright emit key=value…`: appends outputs to the events of the stage that runs it. */
import { appendFileSync } from "node:fs";
import { FileWriter } from "../file-writer.ts";
import { EXIT, type ExitCode } from "./exit.ts";

const HELP = `Usage: stagewright emit key=value [key=value …]

Tells outputs of the running stage. A value that is JSON is taken as JSON (rows=3 is a number, 'rows="3"' is a text),
everything else as text. Outputs are bounded to 256 KiB an attempt.
Works only in a command of a plan, which finds the events file in STAGEWRIGHT_EVENTS.
`;

const STDOUT = 1;
const STDERR = 2;
/** Longest line that a reader of events takes. */
const LONGEST = 262_144;

/** @returns the exit code; what is wrong is said on stderr and nothing is written. `onLost`: of stdout. */
export function emit(words: readonly string[], env: NodeJS.ProcessEnv, onLost: (error: Error) => void): ExitCode {
  if (words.includes("--help") || words.includes("-h")) {
    new FileWriter(STDOUT, onLost).write(HELP);
    return EXIT.success;
  }
  const outputs: [string, unknown][] = [];
  for (const word of words) {
    const at = word.indexOf("=");
    const key = word.slice(0, Math.max(0, at));
    if (at < 1 || key.length > 200)
      return refuse(`"${word.slice(0, 80)}" is not key=value (keys: 1 to 200 characters)`);
    outputs.push([key, parsed(word.slice(at + 1))]);
  }
  if (outputs.length === 0) return refuse("nothing to emit, expected key=value");
  const file = env.STAGEWRIGHT_EVENTS;
  if (file === undefined || file === "") {
    return refuse("STAGEWRIGHT_EVENTS is not set: this works only in a command that a plan runs");
  }
  // A list of pairs keeps a key such as "__proto__" a key.
  const line = `{"output":{${outputs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}}\n`;
  if (line.length > LONGEST)
    return refuse(`one line of outputs may have ${LONGEST / 1024} KiB, this has ${line.length} characters`);
  try {
    // One write of one line: appends of several processes do not mix.
    appendFileSync(file, line);
  } catch (error) {
    return refuse(`could not write to ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return EXIT.success;
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    // A number that JSON cannot hold exactly (a long id) stays the text that it was.
    if (typeof value === "number" && String(value) !== text) return text;
    return value;
  } catch {
    return text;
  }
}

function refuse(message: string): ExitCode {
  // What cannot be written there has nowhere to be said.
  new FileWriter(STDERR, () => undefined).write(`stagewright emit: ${message}\n`);
  return EXIT.usage;
}
