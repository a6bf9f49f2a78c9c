/** What a run knows: plain JSON, never changed in place. Times are milliseconds on the coordinator's clock. */
import type { Json, Tasks } from "../plan/plan.ts";
import type { MachineFacts } from "./group/machine-facts.ts";
import type { Directory, PersistentArray } from "./persistent-array.ts";
import type { AgentPhase, ApprovalRecord, PhaseRecord, QuorumRound } from "./result/record.ts";
import type {
  Absent,
  Annotation,
  AttemptEnd,
  Ballot,
  Metric,
  Progress,
  RoundReason,
  RunSpec,
  RunStatus,
} from "./types.ts";

/** The group as everyone may know it once it is assembled. */
export interface RunRoster {
  readonly agents: readonly {
    readonly name: string;
    readonly index: number;
    readonly role: string | null;
    readonly roleIndex: number;
    readonly address: string | null;
  }[];
}

/** Something worth a line in a log. */
export interface Notice {
  /** Rises by one; the first is 1. */
  readonly seq: number;
  readonly at: number;
  /** For this agent's log alone; null: for everyone's. */
  readonly agent: string | null;
  readonly text: string;
}

export interface Failure {
  readonly kind: "failed" | "cancelled";
  /** The stage that failed, as its index in the plan; null: none in particular. */
  readonly stage: number | null;
  readonly reason: string;
  readonly at: number;
}

export interface RunState extends Required<RunSpec> {
  /** 1: begun by code that knew no rounds, see `stage/attempt-id.ts`. */
  readonly version: 1 | 2;
  readonly status: RunStatus;
  /** Rises with every change that must be kept; heartbeats alone do not raise it. */
  readonly revision: number;
  /**
   * Rises when the run's status changes and when a stage is begun, left out, closed or gone back to: while it stays, no
   * other result is there to be shown.
   */
  readonly steps: number;
  readonly createdAt: number;
  /** Time of the newest event. */
  readonly now: number;
  readonly assemblyUntil: number;
  /** When all but cleanup must be done; null: the plan has no deadline. */
  readonly deadlineAt: number | null;
  readonly assembledAt: number | null;
  readonly endedAt: number | null;
  /** In order of their index once assembled; those who join later stand behind. */
  readonly agents: PersistentArray<AgentState>;
  /** Agent name -> position in `agents`. */
  readonly names: Directory;
  /** The index that an agent said is its own -> position in `agents`; used until the group is assembled. */
  readonly indexes: Directory;
  readonly roster: RunRoster | null;
  /** Who had joined but was silent when the group was assembled: late when they speak again. */
  readonly dropped: readonly AgentState[];
  /** Who is known to come never, or never again: no longer waited for in the assembly. */
  readonly absent: readonly Absent[];
  /** Agents that are there (assembly), or members that are there (later). */
  readonly living: number;
  /** Background commands that run now. */
  readonly backgrounds: number;
  /** One for each stage of the plan. */
  readonly stages: PersistentArray<StageRun>;
  /** The first stage that has not been decided on. */
  readonly position: number;
  /** Stages that are open now, first to last: more than one where no barrier stands between them. */
  readonly segment: { readonly first: number; readonly last: number } | null;
  /** Waited for a person before a stage, or (`after`) behind it: `failure` is what the run fails of, unless it is repeated. */
  readonly checkpoint: {
    readonly stage: number;
    readonly since: number;
    readonly after?: { readonly failure: Omit<Failure, "at"> | null };
  } | null;
  /** Somebody is asked before and after each stage; not there: nobody. */
  readonly attended?: boolean;
  /** The open stage has failed; once all have ended it, a person is asked. Not there: it has not. */
  readonly withheld?: Failure | null;
  readonly approved: readonly number[];
  readonly failure: Failure | null;
  /** While aborting: until everyone has ended what was running. */
  readonly stopping: { readonly since: number; readonly until: number } | null;
  /** After going back: nothing begins before; not there: at once. */
  readonly resumeAt?: number;
  /** When the agents have to be looked through next: not later than the first of their deadlines. */
  readonly sweepAt: number | null;
  readonly outputs: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** Of all stages, those that are open included. */
  readonly outputBytes: number;
  /** The newest ones. */
  readonly notices: readonly Notice[];
  readonly noticeSeq: number;
  /** Values of metrics kept for each agent, of all stages; not there: none. */
  readonly measured?: number;
}

export interface AgentState {
  readonly name: string;
  readonly role: string | null;
  readonly roleIndex: number;
  readonly index: number;
  /** As it said when it joined. */
  readonly ownIndex: number | null;
  readonly address: string | null;
  readonly checkRunId: string | null;
  /** Not there: it did not say. */
  readonly machine?: MachineFacts | undefined;
  /** Its present life; null: it has left. */
  readonly session: string | null;
  /** Of its newest accepted sync. */
  readonly sequence: number;
  /** Of its newest accepted reset. */
  readonly resetSequence: number;
  readonly joinedAt: number;
  readonly lastSeenAt: number;
  /** Since when its silence counts: `lastSeenAt`, or later when the coordinator itself was away. */
  readonly silentSince: number;
  readonly doing: string;
  readonly presence: "here" | "silent" | "lost" | "left";
  /** `away`: not a member for now, but may come back to the group's stage. */
  readonly membership: "member" | "away" | "excluded";
  /** Why it is excluded or away. */
  readonly why: string | null;
  readonly excludedAt: number | null;
  readonly assignment: Assignment | null;
  readonly backgrounds: readonly BackgroundRun[];
  /** What it told last of the metrics with `agg: last`, of the newest stages. */
  readonly lasts: readonly LastValue[];
  /** The last word of it that was rejected: told once. */
  readonly rejected: string | null;
}

/** An agent's part in a stage that is, or was last, its own. */
export interface Assignment {
  readonly stage: number;
  readonly round: number;
  /** The attempt in force: its fencing token. */
  readonly attempt: string;
  /** Attempts begun, the present one included. */
  readonly attempts: number;
  readonly failures: number;
  readonly preemptions: number;
  readonly startAt: number;
  /** When its time for the stage is over, over all attempts: its first start + the stage's timeout. */
  readonly timeoutAt: number;
  /** When the agent should have reported its end: past its timeout. */
  readonly overdueAt: number;
  /** The agent has said that it is at work on the present attempt. */
  readonly seenRunning: boolean;
  readonly startedAt: number | null;
  readonly progress: Progress | null;
  readonly partition: { readonly start: number; readonly end: number } | null;
  /** Its final outcome is known. */
  readonly finished: boolean;
  /** What its accepted attempts told, tasks included; not there: nothing. */
  readonly measured?: readonly Metric[];
  readonly lastFailure: { readonly reason: string; readonly end: AttemptEnd; readonly tail: string } | null;
  /** Non-null: the group went on without it; it is to end this stage's work first. */
  readonly dismissed: { readonly why: string; readonly until: number } | null;
  /** Tasks leased to it, by number. */
  readonly leases: readonly number[];
  /** Tasks that it could take beyond them. */
  readonly wants: number;
  /** It stands in the queue of those who want tasks. */
  readonly queued: boolean;
}

/** Whether it is an assignment of this round of this stage. */
export function isAssigned(
  assignment: Assignment | null,
  { stage, round }: Pick<StageRun, "stage" | "round">,
): assignment is Assignment {
  return assignment !== null && assignment.stage === stage && assignment.round === round;
}

export interface LastValue {
  readonly stage: number;
  readonly metric: string;
  readonly value: number;
}

/** A background command that is ready, or is to be started again after its agent was reset. */
export interface BackgroundRun {
  readonly stage: number;
  readonly attempt: string;
  readonly attempts: number;
  readonly ready: boolean;
  /** Its last stage is over: its agent ends it, and has still to tell what it came to. */
  readonly ending?: true;
  readonly startAt: number;
  readonly overdueAt: number;
}

export type TaskStatus = "waiting" | "ready" | "leased" | "done" | "failed" | "skipped" | "unfinished";

export interface TaskRecord {
  readonly key: string;
  readonly value: Json;
  readonly status: TaskStatus;
  /** Position in `agents` of who holds it, or held it last. */
  readonly holder: number | null;
  /** The lease in force, or the one whose result was accepted. */
  readonly attempt: string | null;
  readonly attempts: number;
  readonly failures: number;
  readonly preemptions: number;
  /** Needed tasks that are not done yet. */
  readonly missing: number;
  readonly reason: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** How its last attempt ended; not there: none has been reported. */
  readonly end?: AttemptEnd;
  /** What it told, if it was done; not there: nothing. */
  readonly outputs?: Readonly<Record<string, Json>>;
  /** Of a validator that came through: what it voted. */
  readonly ballot?: Exclude<Ballot, { readonly unreadable: string }>;
}

export interface TaskPool {
  readonly records: PersistentArray<TaskRecord>;
  readonly keys: Directory;
  /** Numbers of tasks that are ready, oldest first, from `queueHead` on. */
  readonly queue: PersistentArray<number>;
  readonly queueHead: number;
  /** Agents that want tasks, from `hungryHead` on. */
  readonly hungry: PersistentArray<number>;
  readonly hungryHead: number;
  /** Tasks that have not ended. */
  readonly open: number;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  readonly unfinished: number;
  /** Who prints the tasks, while somebody does. */
  readonly generator: number | null;
  /** Tasks without a key of their own are counted from here. */
  readonly counted: number;
  /** A few of the failed, for the reason. */
  readonly examples: readonly string[];
  /** Task key -> keys of the tasks that it needs, where the tasks themselves say it; not there: as the plan says. */
  readonly needs?: Tasks["needs"];
}

export interface StageHistogram {
  readonly name: string;
  /** `agent` told `encoded`. */
  readonly parts: readonly { readonly agent: string; readonly encoded: string }[];
}

/** Why a stage's work is ended for the whole group. */
export interface StopReason {
  readonly why: string;
  /** Whether that is success for the stage. For who takes part it is no failure either way. */
  readonly well: boolean;
}

/** A round of a stage. Those before it are in `earlier`. */
export interface StageRun {
  readonly stage: number;
  /** Counted from 1; rises each time the group goes back to (or over) this stage. */
  readonly round: number;
  /** In order, each as it was closed; what is not part of the record is gone. */
  readonly earlier: readonly StageRun[];
  /** The group is to go back when this round is over. */
  readonly repeat: { readonly from: number; readonly why: string } | null;
  readonly phase: "before" | "open" | "closed";
  /** Set when it is closed. */
  readonly status: PhaseRecord["status"] | null;
  readonly reason: string | null;
  /** Its result can be built upon (`depends_on`); null: not closed. */
  readonly worked: boolean | null;
  readonly openedAt: number | null;
  readonly startAt: number | null;
  readonly closedAt: number | null;
  /** Its barrier lets go whoever is missing: the run has failed already. */
  readonly cleanupMode: boolean;
  readonly electorate: number;
  /** Agents that took part. */
  readonly workers: number;
  readonly pending: number;
  /** The same, by chunk of the agents. */
  readonly pendingByChunk: readonly number[];
  readonly arrived: number;
  readonly firstArrivalAt: number | null;
  readonly metAt: number | null;
  /** Sums over the agents' present attempts. */
  readonly done: number;
  readonly errors: number;
  /** Tasks that failed since one came through; not there: none. */
  readonly failedInARow?: number;
  /** When the group's `duration` is over; null: it has none. */
  readonly endsAt: number | null;
  /** The latest of its attempts' own limits. */
  readonly overdueAt: number;
  /** The group is to end its work. */
  readonly stopping: (StopReason & { readonly since: number; readonly until: number }) | null;
  /** What it has failed at as a whole, though each of its agents may come through; null: nothing. */
  readonly error: string | null;
  readonly warnings: Remarks;
  readonly failures: Remarks;
  readonly retryCount: number;
  readonly metrics: readonly Metric[];
  /** Encoded histograms by name, to be merged when the result is read. */
  readonly histograms: readonly StageHistogram[];
  /** `rank`: whose it is; the lowest wins, so that the order of arrival does not. */
  readonly outputs: readonly { readonly key: string; readonly value: Json; readonly rank: number }[];
  readonly outputBytes: number;
  readonly annotations: readonly (Annotation & { readonly agent: string })[];
  readonly annotationBytes: number;
  readonly annotationsLeftOut: number;
  /** By position in `agents`; null: did not take part. */
  readonly results: PersistentArray<AgentPhase | null>;
  readonly pool: TaskPool | null;
  /** What was told as tasks of a later stage, and by whom: agents by their index. Not there: nothing. */
  readonly laterTasks?: readonly { readonly rank: number; readonly tasks: readonly Json[] }[];
  /** Tasks that a person gave it instead of its own; not there: nobody did. */
  readonly given?: readonly Json[];
  /** Who approved it, where somebody is waited for; not there: nobody has. */
  readonly approval?: ApprovalRecord;
  /** What a quorum decided; not there: it has not. */
  readonly quorum?: QuorumRound;
  /** Why this round was begun; not there: it is the first, or nobody said. */
  readonly because?: RoundReason;
}

/** The first few, and how many there were. */
export interface Remarks {
  readonly texts: readonly string[];
  readonly count: number;
}
