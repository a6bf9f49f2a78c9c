/**
 * Puts together what agents are answered. What is the same for all of them is turned into text once; what an agent
 * knows already is left out, so that a stage costs as much per agent whether there are four or a thousand.
 */
import { createHash } from "node:crypto";
import { jsonBytes, WIRE_BOUNDS } from "../plan/bounds.ts";
import type { AgentPhase, Instruction, RunSummary } from "../run/types.ts";
import type { Roster, SyncAnswer } from "./port.ts";
import type { SyncBody } from "./protocol.ts";

/** Bytes of a result beyond which outputs, histograms and what commands printed are left out of it. */
const SUMMARY_BYTES = 1_048_576;
/** The same for what each agent is sent of it: with many agents it is sent often. */
const SENT_BYTES = 65_536;
/** What one agent is sent of it at most. */
const OWN_BYTES = WIRE_BOUNDS.answerBytes / 4;
/** How many of those that failed every agent is told, besides its own part. */
const FAILED_TOLD = 10;

export interface AnswerParts {
  readonly agent: string;
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
  #result: OwnParts | null = null;

  /** The answer's JSON text. */
  text(parts: AnswerParts): string {
    const { instruction, roster, outputs, known } = parts;
    const instructed =
      instruction.do === "finish" ? this.#finishText(instruction.summary, parts.agent) : JSON.stringify(instruction);
    const rosterText = roster === null ? "null" : this.#roster.text(roster, known.roster);
    const outputsText = this.#outputs.text(outputs, known.outputs);
    const notices = JSON.stringify(parts.notices.map(({ text }) => text));
    return `{"instruction":${instructed},"now":${parts.now},"roster":${rosterText},"outputs":${outputsText},"notices":${notices},"notice":${parts.notice}}`;
  }

  /** The result as others than its host get it: bounded. */
  summary(summary: RunSummary): RunSummary {
    return firstWithin(summary, WHOLE_STEPS, SUMMARY_BYTES);
  }

  /** The result as one agent gets it. @param summary of a run that is over: it does not change any more */
  ownPart(summary: RunSummary, agent: string): RunSummary {
    this.#result ??= new OwnParts(summary);
    return this.#result.of(agent);
  }

  #finishText(summary: RunSummary, agent: string): string {
    return `{"do":"finish","summary":${JSON.stringify(this.ownPart(summary, agent))}}`;
  }
}

/** A result as each agent gets it: the verdict, each stage, its own part in it and the first of those that failed. */
class OwnParts {
  readonly #shared: RunSummary;
  /** By stage, in order. */
  readonly #own: readonly ReadonlyMap<string, AgentPhase>[];
  readonly #failed: readonly (readonly AgentPhase[])[];
  readonly #annotations: readonly RunSummary["phases"][number]["annotations"][];

  constructor(summary: RunSummary) {
    const { phases } = summary;
    const bare = { ...summary, phases: phases.map((phase) => ({ ...phase, agents: [], annotations: [] })) };
    const lean = { ...bare, phases: bare.phases.map((phase) => ({ ...phase, histograms: {}, outputs: {} })) };
    this.#shared = JSON.stringify(bare).length > SENT_BYTES ? lean : bare;
    this.#own = phases.map(({ agents }) => new Map(agents.map((part) => [part.agent, part])));
    this.#failed = phases.map(({ agents }) =>
      agents
        .filter(({ status }) => status !== "success" && status !== "skipped")
        .slice(0, FAILED_TOLD)
        .map((part) => ({ ...part, tail: "" })),
    );
    this.#annotations = phases.map(({ annotations }) => annotations);
  }

  /** Within what one answer carries, whatever its agent told and how many stages there are. */
  of(agent: string): RunSummary {
    return firstWithin(this.#whole(agent), OWN_STEPS, OWN_BYTES);
  }

  #whole(agent: string): RunSummary {
    const phases = this.#shared.phases.map((phase, at) => {
      const own = this.#own[at]?.get(agent);
      const others = (this.#failed[at] ?? []).filter((part) => part.agent !== agent);
      return {
        ...phase,
        agents: own === undefined ? others : [own, ...others],
        annotations: (this.#annotations[at] ?? []).filter((annotation) => annotation.agent === agent),
      };
    });
    return { ...this.#shared, phases };
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

type Step = (summary: RunSummary) => RunSummary;

/** First what went well is left without its output, then all. */
const WHOLE_STEPS: readonly Step[] = [
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

/** An agent's own part: its annotations as far as GitHub shows them, then its output, then what all know. */
const OWN_STEPS: readonly Step[] = [
  (whole) => whole,
  (whole) => mapPhases(whole, (phase) => ({ ...phase, annotations: phase.annotations.slice(0, 50) })),
  (whole) =>
    tails(
      mapPhases(whole, (phase) => ({ ...phase, annotations: [] })),
      (status) => (status === "success" ? 0 : 2_000),
    ),
  (whole) =>
    mapPhases(whole, (phase) => ({
      ...phase,
      annotations: [],
      metrics: [],
      agents: phase.agents.slice(0, 1).map((agent) => ({ ...agent, tail: "" })),
    })),
];

/** Shortens a result step by step until it fits. */
function firstWithin(summary: RunSummary, steps: readonly Step[], bytes: number): RunSummary {
  let shortened = summary;
  for (const step of steps) {
    shortened = step(summary);
    if (jsonBytes(shortened) <= bytes) break;
  }
  return shortened;
}

function mapPhases(
  summary: RunSummary,
  map: (phase: RunSummary["phases"][number]) => RunSummary["phases"][number],
): RunSummary {
  return { ...summary, phases: summary.phases.map(map) };
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
