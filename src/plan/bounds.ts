/**
 * How large what a plan says, what agents and coordinator tell each other and what a run keeps may be: one table, read
 * by the plan's schemas and their documentation, by both ends of the protocol, by agents and by the machine.
 *
 * Whatever a plan may say fits into what is said of it: an agent is never refused or lost for the size of its plan. What
 * a command tells beyond these bounds is cut or left out by its own agent, with a warning, before it is sent.
 */

const KIB = 1024;
const MIB = 1024 * KIB;
const HOUR_MS = 3_600_000;

/** Of a plan file, and of the plan that it becomes. */
export const PLAN_BOUNDS = {
  fileBytes: MIB,
  /** Of the whole plan as it is sent, repeated stages counted each time. */
  planBytes: 4 * MIB,
  agents: 10_000,
  /** Repeated ones counted each time. */
  stages: 1_000,
  /** Of one stage. */
  tasks: 100_000,
  concurrency: 1_000,
  attempts: 1_000,
  /** Characters of a name as it is written; those that repetitions number, and jobs' names, have twice the room. */
  name: 100,
  longName: 200,
  description: 1_000,
  /** What Linux takes for a path, and so for a program. */
  path: 4_096,
  /** Of a variable's name. */
  variable: 255,
  /** Bytes of one argument, or of a variable's value: Linux takes no 128 KiB, name included. */
  argumentBytes: 100_000,
  /** Characters of a parameter's value. */
  param: 10_000,
  /** Bytes of one task's value as JSON: it is passed as one variable. Below what is read of a line. */
  taskBytes: 64 * KIB - 1,
  /** Entries of a list of names, arguments or patterns. */
  list: 10_000,
  /** Lists and mappings inside one another, the file's own included; the deepest sensible plan needs about ten. */
  nesting: 64,
  patterns: 1_000,
  /** Of one quorum stage. */
  validators: 100,
  /** How often a quorum stage may send back. */
  retries: 50,
  expectations: 1_000,
  /**
   * Longer than any job of a workflow may take (5 days), and short enough for one timer: beyond 2^31 - 1 ms (24.8 days)
   * Node's timers fire at once.
   */
  durationMs: 24 * 24 * HOUR_MS,
  /** Nobody waits longer for a command to end by itself. */
  stopGraceMs: 600_000,
} as const;

/** Of the files that one agent keeps (`collect`). */
export const COLLECT_BOUNDS = {
  /** Paths and patterns of a stage. */
  patterns: 100,
  /** Of one stage's part, and of all of a run. */
  files: 1_000,
  bytes: 256 * MIB,
  runFiles: 10_000,
  runBytes: 1_024 * MIB,
  /** Entries of folders that are looked at for one stage. */
  entries: 100_000,
  /** How long a stage waits for its files; shorter than what a failed run gives its agents to end their work. */
  ms: 20_000,
} as const;

/** Of what a command tells, in one attempt. */
export const TOLD_BOUNDS = {
  metrics: 1_000,
  unit: 64,
  histograms: 100,
  histogramBytes: 256 * KIB,
  annotations: 1_000,
  /** Characters. What is shown of a message is less. */
  annotationTitle: 255,
  annotationMessage: 16 * KIB,
  /** Bytes of all its outputs as JSON, and of all its annotations; then of its whole report. */
  outputBytes: 256 * KIB,
  annotationBytes: 256 * KIB,
  reportBytes: MIB,
  /** Characters of the end of what it printed. */
  tail: 16 * KIB,
  /** Characters of a reason. */
  reason: 4_096,
  /** Of one validator's verdict: deficiencies, and bytes of them as JSON. */
  deficiencies: 100,
  deficiencyBytes: 16 * KIB,
  /** Bytes that a validator may print. */
  verdictBytes: MIB,
  /** Tasks in one line. */
  tasks: 10_000,
  /** Of what a stage tells as tasks of a later one: in one attempt, and bytes of it as JSON. */
  laterTasks: 10_000,
  laterTaskBytes: 512 * KIB,
  /** Lists and mappings of one line inside one another. */
  nesting: 64,
} as const;

/** Of one request or answer. */
export const WIRE_BOUNDS = {
  /** Bytes of a request after decompression: a plan, or reports and tasks, with room for what stands beside them. */
  bodyBytes: 8 * MIB,
  /** Bytes of an answer after decompression. */
  answerBytes: 16 * MIB,
  /** Lists and mappings of a request inside one another: those of what it carries, and a few of its own around them. */
  nesting: 80,
  /** Finished attempts, bytes of them (but always one), and bytes of newly listed tasks. */
  reports: 500,
  reportBytes: MIB,
  tasks: 5_000,
  taskBytes: MIB,
  /** Characters of what an agent is doing. */
  doing: 500,
  /** The longest that a request for news is held, milliseconds: an agent is heard from at least so often. */
  holdMs: 30_000,
  /** Syncs of one session in a second, averaged over ten. Short tasks take one each; a loop gone wild takes more. */
  syncsPerSecond: 1_000,
  /** Bytes of what an agent does not know yet (outputs, roster) in one answer: the rest comes with the next. */
  pageBytes: 32 * KIB,
} as const;

/** Of what a run keeps. */
export const RUN_BOUNDS = {
  /** Outputs of one stage, and of all of them. */
  stageOutputBytes: 256 * KIB,
  outputBytes: 16 * MIB,
  /** Of one stage. */
  metrics: 1_000,
  /** Values of metrics of single agents, of all stages. */
  agentMetrics: 20_000,
  annotations: 1_000,
  annotationBytes: MIB,
  /** Bytes of the tasks leased to one agent at a time (but always one). */
  leaseBytes: MIB,
  tailOfSuccess: 2 * KIB,
  /** Of one stage, in a result: the others are counted. */
  taskRecords: 1_000,
  /** Bytes of what the agents of a stage tell as tasks of a later one. */
  laterTaskBytes: 4 * MIB,
  /** Of one stage: however often it is sent back, a run ends. */
  rounds: 100,
  /** Of all that a quorum finds wanting in a round, bytes as JSON: they are passed on as one variable. */
  deficiencyBytes: 32 * KIB,
  /** Characters of a notice, or of a remark on a stage. */
  remark: 1_000,
} as const;

/** Bytes of a value as JSON. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}

/**
 * Whether lists and mappings stand more than so deep in one another. What walks through a value with a call for each
 * level (a schema, `JSON.stringify`) overflows the stack somewhere beyond a thousand of them: this does not, and comes first.
 */
export function isDeeper(value: unknown, most: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > most) return true;
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []));
  }
  return false;
}
