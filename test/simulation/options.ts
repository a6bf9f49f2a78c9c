/** What the command lines of the simulations have in common. A mistake in one is told in a line: exit code 2. */
import { parseArgs } from "node:util";

const OPTIONS = {
  seeds: { type: "string" },
  from: { type: "string", default: "1" },
  seed: { type: "string" },
  "end-to-end": { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

export interface SeedOptions {
  readonly seeds: number;
  /** The first of them. */
  readonly from: number;
  /** The one to replay; null: none. */
  readonly seed: number | null;
  readonly endToEnd: boolean;
}

/** `seeds`: how many there are without a word of it; `endToEnd`: whether there is such a way. */
export function seedOptions(usage: string, { seeds, endToEnd }: { seeds: number; endToEnd: boolean }): SeedOptions {
  try {
    const { "end-to-end": real, ...others } = OPTIONS;
    const { values } = parseArgs({ options: endToEnd ? OPTIONS : others });
    if (values.help === true) {
      console.log(usage);
      process.exit(0);
    }
    return {
      seeds: values.seeds === undefined ? seeds : whole(values.seeds),
      from: whole(values.from ?? "1"),
      seed: values.seed === undefined ? null : whole(values.seed),
      endToEnd: "end-to-end" in values && values["end-to-end"] === true,
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

function whole(text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`expected a whole number, got "${text}"`);
}
