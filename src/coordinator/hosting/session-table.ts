/**
 * The sessions of one run, each one life of an agent's process: who opened them, by which join, and the numbers that
 * make their requests safe to repeat. The same number with the same body gets the same answer; an older number, or the
 * same with another body, is refused.
 */
import { Refusal } from "../protocol/refusal.ts";
import type { AcceptedRequest, OpenedSession, StoredSession } from "./run-store.ts";

export interface SessionState extends OpenedSession {
  sequence: number;
  digest: string;
  /** The number whose answer has been given (by this process); until then a repetition waits like the first. */
  answered: number;
}

/** A new session, and whatever of older ones must still be known. */
const KEPT_PER_AGENT = 3;

/**
 * What to do with a request of this number and body.
 * @returns `new`: apply it; `again`: it was applied, give the answer once more.
 * @throws Refusal `sequence` for an older number, or the same number with another body.
 */
export function checkSequence(
  session: Pick<StoredSession, "agent" | "sequence" | "digest">,
  { sequence, digest }: Pick<StoredSession, "sequence" | "digest">,
): "new" | "again" {
  if (sequence > session.sequence) return "new";
  if (sequence < session.sequence) {
    throw new Refusal(
      "sequence",
      `request ${sequence} of ${session.agent} comes after its request ${session.sequence} was accepted`,
    );
  }
  if (digest !== session.digest) {
    throw new Refusal("sequence", `request ${sequence} of ${session.agent} was accepted before with another body`);
  }
  return "again";
}

export class SessionTable {
  readonly #byId = new Map<string, SessionState>();
  readonly #byNonce = new Map<string, SessionState>();
  /** Agent -> its sessions, oldest first. */
  readonly #ofAgent = new Map<string, SessionState[]>();

  /** @param stored what `stored` gave */
  constructor(stored: readonly StoredSession[] = []) {
    for (const session of stored) this.#add({ ...session, answered: 0 });
  }

  get(id: string): SessionState | undefined {
    return this.#byId.get(id);
  }

  /** The session that this join opened. */
  ofJoin(nonce: string): SessionState | undefined {
    return this.#byNonce.get(nonce);
  }

  open(opened: OpenedSession): void {
    this.#add({ ...opened, sequence: 0, digest: "", answered: 0 });
  }

  /** Whoever has accepted a newer one meanwhile stays with it. */
  accept({ session: id, sequence, digest }: AcceptedRequest): void {
    const session = this.#byId.get(id);
    if (session === undefined || sequence < session.sequence) return;
    session.sequence = sequence;
    session.digest = digest;
  }

  /** What a later process goes on with. */
  stored(): readonly StoredSession[] {
    return [...this.#byId.values()].map(({ answered: _answered, ...session }) => session);
  }

  #add(session: SessionState): void {
    this.#byId.set(session.id, session);
    this.#byNonce.set(session.nonce, session);
    const own = this.#ofAgent.get(session.agent) ?? [];
    own.push(session);
    for (const { id, nonce } of own.splice(0, own.length - KEPT_PER_AGENT)) {
      this.#byId.delete(id);
      this.#byNonce.delete(nonce);
    }
    this.#ofAgent.set(session.agent, own);
  }
}
