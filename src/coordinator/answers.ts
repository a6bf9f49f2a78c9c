/**
 * Puts together what agents are answered. What is the same for all of them is turned into text once; what an agent
 * knows already is left out, so that a stage costs as much per agent whether there are four or a thousand.
 */
import { createHash } from "node:crypto";
import type { Instruction, RunSummary } from "../run/types.ts";
import type { Roster, SyncAnswer } from "./port.ts";
import type { SyncBody } from "./protocol.ts";

/** Bytes of a result that every agent is sent: beyond it, what others printed is left out. */
const SUMMARY_BYTES = 1_048_576;

export interface AnswerParts {
  readonly instruction: Instruction;
  readonly now: number;
  readonly roster: Roster | null;
  readonly outputs: SyncAnswer["outputs"];
  readonly notices: readonly { readonly text: string }[];
  readonly notice: number;
  readonly known: SyncBody["known"];
}

export class Answers {
  readonly #roster = new Versioned<Roster>((roster, version) => ({ version, agents: roster.agents }));
  readonly #outputs = new Versioned<SyncAnswer["outputs"]>((values, version) => ({ version, values }));
  #finish: string | null = null;

  /** The answer's JSON text. */
  text(parts: AnswerParts): string {
    const { instruction, roster, outputs, known } = parts;
    const instructed =
      instruction.do === "finish" ? this.#finishText(instruction.summary) : JSON.stringify(instruction);
    const rosterText = roster === null ? "null" : this.#roster.text(roster, known.roster);
    const outputsText = this.#outputs.text(outputs, known.outputs);
    const notices = JSON.stringify(parts.notices.map(({ text }) => text));
    return `{"instruction":${instructed},"now":${parts.now},"roster":${rosterText},"outputs":${outputsText},"notices":${notices},"notice":${parts.notice}}`;
  }

  /** The result as others than its host get it: bounded. */
  summary(summary: RunSummary): RunSummary {
    return bounded(summary);
  }

  /** A run that is over does not change any more: made once for all its agents. */
  #finishText(summary: RunSummary): string {
    this.#finish ??= JSON.stringify({ do: "finish", summary: bounded(summary) });
    return this.#finish;
  }
}

/** A value that changes seldom, as text, with a version that is made from its content. */
class Versioned<T> {
  readonly #frame: (value: T, version: string) => unknown;
  #of: T | null = null;
  #version = "";
  #text = "";

  constructor(frame: (value: T, version: string) => unknown) {
    this.#frame = frame;
  }

  /** "null" for somebody who knows this version. */
  text(value: T, known: string | null): string {
    // Values of a run are never changed in place: the same one has the same content.
    if (value !== this.#of) {
      const version = createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 16);
      if (version !== this.#version) {
        this.#version = version;
        this.#text = JSON.stringify(this.#frame(value, version));
      }
      this.#of = value;
    }
    return known === this.#version ? "null" : this.#text;
  }
}

/** Shortens a result step by step until it fits: first what went well is left without its output, then all. */
function bounded(summary: RunSummary): RunSummary {
  const steps: readonly ((summary: RunSummary) => RunSummary)[] = [
    (whole) => whole,
    (whole) => tails(whole, (status) => (status === "success" ? 0 : 2_000)),
    (whole) => tails(whole, () => 0),
    (whole) => ({
      ...whole,
      phases: whole.phases.map((phase) => ({
        ...phase,
        histograms: {},
        outputs: {},
        annotations: phase.annotations.slice(0, 50),
        agents: phase.agents
          .filter(({ status }) => status !== "success")
          .slice(0, 100)
          .map((agent) => ({ ...agent, tail: "" })),
      })),
    }),
  ];
  let shortened = summary;
  for (const step of steps) {
    shortened = step(summary);
    if (JSON.stringify(shortened).length <= SUMMARY_BYTES) break;
  }
  return shortened;
}

function tails(summary: RunSummary, most: (status: string) => number): RunSummary {
  return {
    ...summary,
    phases: summary.phases.map((phase) => ({
      ...phase,
      agents: phase.agents.map((agent) => {
        const length = most(agent.status);
        return { ...agent, tail: length === 0 ? "" : agent.tail.slice(-length) };
      }),
    })),
  };
}
