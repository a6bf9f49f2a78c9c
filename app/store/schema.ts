/** The tables, as Kysely knows them; `migrations/` says how they came to be. Columns that end in `_json` hold documents. */
import type { Generated } from "kysely";

export interface Tables {
  deliveries: {
    seq: Generated<number>;
    id: string;
    event: string;
    key: string;
    status: string;
    tries: number;
    next_at: number;
    error: string | null;
    received_at: number;
    done_at: number | null;
    /** Null: of none. */
    installation_id: number | null;
  };
  /** What deliveries say, until they have had their effect: rows of their own, so that their room is free again. */
  delivery_payloads: { seq: number; payload: string };
  repositories: {
    id: number;
    node_id: string;
    installation_id: number | null;
    owner: string;
    name: string;
    /** `owner/name` in lower case. */
    full_name: string;
    default_branch: string;
    private: number;
    /** When it is swept next. */
    sweep_at: Generated<number>;
    /** Grows with each request for a sweep. */
    sweep_generation: Generated<number>;
    /** How often in a row it could not be swept. */
    sweep_failures: Generated<number>;
    /** When something last happened there, or was missed, to half an hour. */
    active_at: Generated<number>;
    /** When what rests on people is evaluated again; null: a sweep says so. */
    people_at: number | null;
  };
  /** What is looked for and changed often; what is large is in `pull_documents`. */
  pulls: {
    repository_id: number;
    number: number;
    installation_id: number | null;
    version: number;
    open: number;
    head_sha: string;
    stage: string | null;
    reevaluate_at: number | null;
    reevaluation_tries: number;
    intent_at: number | null;
    /** When it is overdue; null: never, closed, or on hold. */
    overdue_at: number | null;
    /** When something last happened to it, since it is closed; null: it is open. */
    closed_at: number | null;
    /** 1: its evaluation rests on who may do what; null: not known. */
    people: number | null;
    intent_json: string | null;
    blocked_json: string | null;
  };
  /** Of each kind at most one: written only when it changes. */
  pull_documents: {
    repository_id: number;
    number: number;
    kind: PullDocument;
    document_json: string;
  };
  history: {
    id: Generated<number>;
    repository_id: number;
    number: number;
    at: number;
    kind: string;
    from_stage: string | null;
    to_stage: string | null;
    actor_json: string | null;
    reason: string;
    /** A list of ids. */
    evidence_json: string;
  };
  effects: {
    id: Generated<number>;
    key: string;
    repository_id: number;
    number: number;
    installation_id: number;
    kind: string;
    payload_json: string;
    status: string;
    version: number;
    tries: number;
    next_at: number;
    error: string | null;
    /** Null: it waits for nothing, or it was written before there were codes. */
    error_code: string | null;
    result_json: string | null;
    /** When it was done or given up. */
    done_at: number | null;
  };
  started_runs: {
    id: Generated<number>;
    key: string;
    repository_id: number;
    number: number;
    workflow: string;
    state: string;
    version: number;
    queued_at: number;
    run_id: string | null;
    run_limit: number | null;
    next_at: number | null;
    ask_at: number | null;
    generation: number;
    detail_json: string;
  };
  waiting_gates: {
    repository_id: number;
    run_id: string;
    environment: string;
    state: string;
    version: number;
    asked_at: number;
    next_at: number | null;
    ask_at: number | null;
    generation: number;
    detail_json: string;
  };
  policies: {
    repository_id: number;
    version: number;
    generation: number;
    observed_generation: number;
    state_json: string | null;
    /** `owner/name` in lower case, each between spaces. */
    bases: string;
    due_at: number | null;
    tries: number;
  };
  repository_holds: {
    repository_id: number;
    held: number;
    at: number;
    by_json: string;
    reason: string;
  };
  runs: {
    id: string;
    /** Records that it has. */
    version: number;
    created_at: number;
    over_at: number | null;
    /** What the app itself remembers of the run: its check run on GitHub. */
    note_json: string | null;
    seq: Generated<number>;
  };
  run_records: {
    run: string;
    /** Counts from 0 within its run. */
    version: number;
    record_json: string;
  };
  run_snapshots: {
    run: string;
    /** Records that it stands for: the first one behind it has this version. */
    version: number;
    snapshot_json: string;
  };
  /** Emptied by whoever changes what a value means: it can be asked for again. */
  cache: { key: string; scope: string; value_json: string; at: number };
  meta: { key: string; value: string };
  /** Processes of the app, and until when their leases last. */
  replicas: { id: string; address: string | null; version: string; since: number; until: number };
  claims: {
    key: string;
    /** A replica; it may be gone. */
    owner: string;
    fence: number;
    since: number;
    released_at: number | null;
    /** Requests of owners before may be on their way until then. */
    not_before: number;
    /** GitHub has asked that nothing is sent before. */
    held_until: number | null;
    /** Whoever owned it last has written just before. */
    next_write_at: number | null;
  };
}

export const PULL_DOCUMENTS = ["facts", "confirmed", "evaluation"] as const;
export type PullDocument = (typeof PULL_DOCUMENTS)[number];
