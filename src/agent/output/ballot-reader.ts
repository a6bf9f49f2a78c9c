/**
 * A validator's verdict, read from what it prints on standard output: all of it as one JSON object, else its last line
 * that is not blank. Whatever else it is, it is no vote: only what is understood as a whole may count as PASS.
 */
import { isDeeper, jsonBytes, TOLD_BOUNDS } from "../../plan/bounds.ts";
import { isMapping } from "../../plan/parsing/key-parser.ts";
import { escapeUnprintable } from "../../plan/parsing/names.ts";
import type { Json } from "../../plan/plan.ts";
import { type Ballot, DECISIONS } from "../../run/types.ts";
import { unfitJson } from "./unfit-json.ts";

/** Characters of a line that are quoted. */
const QUOTED = 80;
const EXPECTED = 'expected {"decision": "PASS", "RETRY" or "FAIL", "confidence": 0 to 1, "deficiencies": [...]}';

export class BallotReader {
  readonly #masked: (text: string) => string;
  #lines: string[] = [];
  #bytes = 0;

  /** `masked`: what may be shown of a line's text. */
  constructor(masked: (text: string) => string) {
    this.#masked = masked;
  }

  /** The next line of standard output. */
  take(line: string): void {
    this.#bytes += Buffer.byteLength(line) + 1;
    if (this.#bytes > TOLD_BOUNDS.verdictBytes) this.#lines = [];
    else if (line.trim() !== "") this.#lines.push(line);
  }

  /** What it comes to, once there is nothing more to read. */
  ballot(): Ballot {
    if (this.#bytes > TOLD_BOUNDS.verdictBytes) {
      return {
        unreadable: `printed more than ${TOLD_BOUNDS.verdictBytes / 1_048_576} MiB: its log belongs on standard error`,
      };
    }
    const last = this.#lines.at(-1);
    if (last === undefined) return { unreadable: `printed nothing on standard output, ${EXPECTED}` };
    const value = jsonOf(this.#lines.join("\n")) ?? jsonOf(last);
    if (!isMapping(value)) return { unreadable: `its last line is no JSON object: ${this.#quote(last)}, ${EXPECTED}` };
    return this.#read(value);
  }

  #read(value: Readonly<Record<string, unknown>>): Ballot {
    const { decision: said, confidence = null, deficiencies = [] } = value;
    const decision = DECISIONS.find((one) => one === said);
    if (decision === undefined)
      return {
        unreadable: `decision: expected PASS, RETRY or FAIL, got ${said === undefined ? "none" : this.#quote(shown(said))}`,
      };
    if (confidence !== null && !(typeof confidence === "number" && confidence >= 0 && confidence <= 1)) {
      return { unreadable: `confidence: expected a number from 0 to 1, got ${this.#quote(shown(confidence))}` };
    }
    if (!Array.isArray(deficiencies)) {
      return { unreadable: `deficiencies: expected a list, got ${this.#quote(shown(deficiencies))}` };
    }
    const unfit = isDeeper(deficiencies, TOLD_BOUNDS.nesting) ? "are nested too deep" : unfitJson(deficiencies);
    if (unfit !== null) return { unreadable: `deficiencies: ${unfit}` };
    const { deficiencies: most, deficiencyBytes } = TOLD_BOUNDS;
    const list: readonly Json[] = deficiencies;
    if (list.length > most || jsonBytes(list) > deficiencyBytes) {
      return { unreadable: `deficiencies: expected at most ${most} of them, and ${deficiencyBytes / 1_024} KiB` };
    }
    return { decision, confidence, deficiencies: list };
  }

  /** Masked before it is clipped or escaped: what is left of a secret would not be recognized. */
  #quote(text: string): string {
    const visible = this.#masked(text);
    return escapeUnprintable(JSON.stringify(visible.length > QUOTED ? `${visible.slice(0, QUOTED - 1)}…` : visible));
  }
}

/** The same with what must not be told masked. */
export function maskedBallot(ballot: Ballot, masked: (value: Json) => Json): Ballot {
  if ("unreadable" in ballot) return ballot;
  return { ...ballot, deficiencies: ballot.deficiencies.map(masked) };
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

function jsonOf(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
