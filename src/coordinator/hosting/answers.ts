/**
 * Puts together what agents are answered. What is the same for all of them is turned into text once; what an agent
 * knows already is left out, so that a stage costs as much per agent whether there are four or a thousand, and what it
 * does not know comes a page at a time, so that it is heard from in between however slow its link is.
 */
import { createHash } from "node:crypto";
import { jsonBytes, WIRE_BOUNDS } from "../../plan/bounds.ts";
import type { Instruction } from "../../run/instruction.ts";
import type { AgentPhase, RunSummary } from "../../run/result/record.ts";
import { SummaryByAgent } from "../../run/result/summary-by-agent.ts";
import type { Roster, SyncAnswer } from "../protocol/port.ts";
import type { SyncBody } from "../protocol/protocol.ts";

/** Bytes of a result beyond which outputs, histograms and what commands printed are left out of it. */
const SUMMARY_BYTES = 1_048_576;
/** The same for what each agent is sent of it: with many agents it is sent often. */
const SENT_BYTES = 65_536;
/** What one agent is sent of it at most. */
const OWN_BYTES = WIRE_BOUNDS.answerBytes / 4;
/** How many of those that failed every agent is told, besides its own part. */
const MOST_FAILED_AGENTS = 10;

const NOTHING = { text: "null", more: false } as const;

export interface AnswerParts {
  readonly agent: string;
  readonly instruction: Instruction;
  readonly now: number;
  readonly roster: Roster | null;
  /** Null: it has no use for any now, and keeps what it knows. */
  readonly outputs: SyncAnswer["outputs"] | null;
  readonly notices: readonly { readonly text: string }[];
  readonly notice: number;
  readonly known: SyncBody["known"];
}

export class Answers {
  readonly #roster = new Growing(rosterPieces);
  /** Stages of one segment may see different ones. Versions are made from content: each goes on where another was. */
  readonly #outputs = new WeakMap<Outputs, Growing<Outputs>>();
  #result: SummaryByAgent | null = null;

  /** The answer's JSON text. */
  text(parts: AnswerParts): string {
    const { instruction, roster, outputs, known } = parts;
    const instructed =
      instruction.do === "finish" ? this.#finishText(instruction.summary, parts.agent) : JSON.stringify(instruction);
    const agents = roster === null ? NOTHING : this.#roster.after(roster, known.roster);
    const values = outputs === null ? NOTHING : this.#growing(outputs).after(outputs, known.outputs);
    const more = agents.more || values.more;
    const notices = JSON.stringify(parts.notices.map(({ text }) => text));
    return `{"instruction":${instructed},"now":${parts.now},"roster":${agents.text},"outputs":${values.text},"more":${more},"notices":${notices},"notice":${parts.notice}}`;
  }

  #growing(outputs: Outputs): Growing<Outputs> {
    const known = this.#outputs.get(outputs) ?? new Growing(outputPieces);
    this.#outputs.set(outputs, known);
    return known;
  }

  /** The result as others than its host get it: bounded. */
  summary(summary: RunSummary): RunSummary {
    return firstWithin(summary, WHOLE_STEPS, SUMMARY_BYTES);
  }

  /**
   * The result as one agent gets it: within what one answer carries, whatever its agent told and how many stages there
   * are. @param summary of a run that is over: it does not change any more
   */
  agentSummary(summary: RunSummary, agent: string): RunSummary {
    this.#result ??= new SummaryByAgent(sendable(summary), MOST_FAILED_AGENTS);
    return firstWithin(this.#result.of(agent), OWN_STEPS, OWN_BYTES);
  }

  #finishText(summary: RunSummary, agent: string): string {
    return `{"do":"finish","summary":${JSON.stringify(this.agentSummary(summary, agent))}}`;
  }
}

/** What all agents are told of a result; where that is much, without what each stage said of itself. */
function sendable(summary: RunSummary): RunSummary {
  const shared = mapPhases(summary, ({ earlier: _earlier, ...phase }) => ({ ...phase, agents: [], annotations: [] }));
  if (jsonBytes(shared) <= SENT_BYTES) return summary;
  return mapPhases(summary, (phase) => ({ ...withoutTasks(phase), histograms: {}, outputs: {} }));
}

/**
 * A value that grows, cut into pieces: each has the version of all up to it, made from their content, so that whoever
 * knows a version is sent what came after it, before and after a restart. A page of them at a time.
 */
class Growing<T> {
  readonly #piecesOf: (value: T) => readonly string[];
  #of: T | null = null;
  #pieces: readonly string[] = [];
  /** One more than pieces: the first is that of nothing. */
  #versions: readonly string[] = [""];

  constructor(piecesOf: (value: T) => readonly string[]) {
    this.#piecesOf = piecesOf;
  }

  /** The JSON text of what follows on a version; `more`: it is not all yet. */
  after(value: T, known: string | null): { readonly text: string; readonly more: boolean } {
    this.#update(value);
    const found = known === null ? 0 : this.#versions.indexOf(known);
    const start = Math.max(0, found);
    if (found === this.#pieces.length) return { text: "null", more: false };
    let end = start;
    for (let bytes = 0; end < this.#pieces.length && bytes < WIRE_BOUNDS.pageBytes; end++) {
      bytes += this.#pieces[end]?.length ?? 0;
    }
    const frame = JSON.stringify({ version: this.#versions[end], from: start === 0 ? null : known });
    const text = `${frame.slice(0, -1)},"pieces":[${this.#pieces.slice(start, end).join(",")}]}`;
    return { text, more: end < this.#pieces.length };
  }

  #update(value: T): void {
    // Values of a run are never changed in place: the same one has the same content.
    if (value === this.#of) return;
    const pieces = this.#piecesOf(value);
    const isSame = pieces.findIndex((piece, at) => piece !== this.#pieces[at]);
    const versions = this.#versions.slice(0, 1 + Math.min(this.#pieces.length, isSame === -1 ? pieces.length : isSame));
    for (const piece of pieces.slice(versions.length - 1)) {
      const chained = createHash("sha256").update(`${versions.at(-1)} ${piece}`);
      versions.push(chained.digest("base64url").slice(0, 16));
    }
    this.#of = value;
    this.#pieces = pieces;
    this.#versions = versions;
  }
}

/** Of a list or the entries of a mapping so many together as make half a page. */
function grouped<T>(items: readonly T[]): readonly (readonly T[])[] {
  const groups: T[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const item of items) {
    if (bytes > WIRE_BOUNDS.pageBytes / 2) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(item);
    bytes += jsonBytes(item);
  }
  return groups;
}

type Outputs = SyncAnswer["outputs"];
const knownStages = new WeakMap<Outputs[string], readonly string[]>();

/** Outputs of a stage do not change once they are shown: their text is made once. */
function outputPieces(outputs: Outputs): readonly string[] {
  return Object.entries(outputs).flatMap(([stage, values]) => {
    const known = knownStages.get(values);
    if (known !== undefined) return known;
    const made = grouped(Object.entries(values)).map((part) => JSON.stringify({ [stage]: Object.fromEntries(part) }));
    knownStages.set(values, made);
    return made;
  });
}

function rosterPieces({ agents }: Roster): readonly string[] {
  return grouped(agents).map((part) => JSON.stringify(part));
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
      ...withoutTasks(earlierFailures(phase)),
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
      ...(phase.earlier === undefined
        ? {}
        : { earlier: phase.earlier.map((round) => ({ ...round, metrics: [], agents: [] })) }),
      agents: phase.agents.slice(0, 1).map((agent) => ({ ...agent, tail: "" })),
    })),
];

/** How many tasks there were stays, how each of them fared is left out. */
function withoutTasks(phase: RunSummary["phases"][number]): RunSummary["phases"][number] {
  if (phase.tasks?.records === undefined) return phase;
  const { records: _records, ...tasks } = phase.tasks;
  return { ...phase, tasks };
}

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

/** Of its earlier rounds those that failed, as far as every agent is told of them. */
function earlierFailures(phase: RunSummary["phases"][number]): RunSummary["phases"][number] {
  if (phase.earlier === undefined) return phase;
  const isTold = ({ status }: AgentPhase): boolean => status !== "success" && status !== "skipped";
  const told = (agents: readonly AgentPhase[]): readonly AgentPhase[] =>
    agents.filter(isTold).slice(0, MOST_FAILED_AGENTS);
  return { ...phase, earlier: phase.earlier.map((round) => ({ ...round, agents: told(round.agents) })) };
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
