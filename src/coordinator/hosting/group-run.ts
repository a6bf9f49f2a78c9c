/**
 * A run as its agents reach it, from this process or from elsewhere: who they are (sessions), that their requests may
 * come twice (numbers), that they are all of one mind about the run (plan, selection, size). What becomes of the run is
 * the host's machine's.
 */
import { randomBytes } from "node:crypto";
import { canonicalJson, planDifference, planDigest } from "../../plan/canonical.ts";
import { escapeUnprintable } from "../../plan/parsing/names.ts";
import { shownOutputs } from "../../run/context/shown.ts";
import { admit, explain, membersOf, noticesFor, outputsOf } from "../../run/machine.ts";
import { itemAt, itemCount, itemsOf, lookUp } from "../../run/persistent-array.ts";
import type { AgentState } from "../../run/state.ts";
import { isThere } from "../../run/transitions.ts";
import { agentIdentity, jobIdentity, type RunKey, type RunTerms, type Sync, termsOf } from "../../run/types.ts";
import type { JoinRequest, SyncAnswer } from "../protocol/port.ts";
import type { SyncBody } from "../protocol/protocol.ts";
import { Refusal, type RefusalCode, RunEnded } from "../protocol/refusal.ts";
import { runIdOf } from "../protocol/run-id.ts";
import type { HostedRun, Numbered, Principal } from "../server/handler.ts";
import { Answers } from "./answers.ts";
import type { RunHost } from "./host.ts";
import { checkSequence, type SessionState, SessionTable } from "./session-table.ts";

interface Opened {
  readonly session: string;
  /** Coordinator clock. */
  readonly now: number;
}

/** What an agent says with a sync. */
interface Said {
  readonly sync: Omit<Sync, "session" | "agent">;
  /** Why it has dropped everything; null: it has not. */
  readonly reset: string | null;
  readonly holdMs: number;
}

/** Refusals after which the same agent does not come again. */
const FINAL: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  "protocol",
  "invalid",
  "held",
  "different_plan",
  "over_limit",
]);
/** Characters of why somebody does not come. */
const LONGEST_WHY = 2_000;

export class GroupRun implements HostedRun {
  readonly id: string;
  readonly key: RunKey;
  readonly host: RunHost;
  readonly sessions: SessionTable;
  readonly #answers = new Answers();
  #planDigest: string | null = null;
  /** The agent in whose process this run is hosted. Null: in none's. */
  #first: { agent: string | null; readonly joined: PromiseWithResolvers<void> } | null = null;

  /** @param sessions those of a run that was begun before: they go on */
  constructor(host: RunHost, sessions = new SessionTable()) {
    this.host = host;
    this.key = host.state.key;
    this.id = runIdOf(this.key);
    this.sessions = sessions;
  }

  /** From now on the agent of this process has the first place: others join after it, and nobody as it. */
  reserveFirst(): void {
    this.#first = { agent: null, joined: Promise.withResolvers() };
  }

  /** The agent of this process; null: there is none, or it has not joined. */
  get first(): string | null {
    return this.#first?.agent ?? null;
  }

  /** The agent of this process joins. @throws Refusal */
  async joinFirst(request: JoinRequest, nonce: string, principal: Principal): Promise<Opened> {
    const opened = await this.#join(request, nonce, principal);
    if (this.#first !== null) {
      this.#first.agent = request.agent;
      this.#first.joined.resolve();
    }
    return opened;
  }

  async join(request: JoinRequest, nonce: string, principal: Principal): Promise<Opened> {
    await this.#first?.joined.promise;
    if (this.#first?.agent === request.agent) {
      const reason = `${request.agent} is the agent that leads this group, in its own process: nobody joins as it from elsewhere`;
      throw new Refusal("held", reason);
    }
    return await this.#join(request, nonce, principal);
  }

  async #join(request: JoinRequest, nonce: string, principal: Principal): Promise<Opened> {
    const known = this.sessions.ofJoin(nonce);
    if (known !== undefined) {
      if (known.agent !== request.agent || known.checkRunId !== principal.checkRunId) {
        throw new Refusal("unauthorized", `this join was made before, by ${known.agent} in another job`);
      }
      await this.host.saved();
      return { session: known.id, now: this.host.now };
    }
    this.#checkSameRun(request);
    const { agent, role, index, address, machine } = request;
    const { checkRunId } = principal;
    const session = randomBytes(16).toString("base64url");
    const who = { agent, session, role, index, address, checkRunId, ...(machine === undefined ? {} : { machine }) };
    const event = { type: "joined", at: this.host.now, ...who } as const;
    const admission = admit(this.host.state, event);
    if (!admission.ok) {
      if (admission.code === "ended") throw await this.#ended(agent);
      throw new Refusal(admission.code, admission.reason);
    }
    const opened = { id: session, agent, nonce, checkRunId };
    this.host.commit({ event, opened });
    this.sessions.open(opened);
    this.host.forget(agent);
    await this.host.saved();
    return { session, now: this.host.now };
  }

  async sync(request: Numbered, body: SyncBody, signal: AbortSignal): Promise<string> {
    const { agent } = await this.#exchange(request, body, signal);
    const { state, now } = this.host;
    const instruction = this.host.instruct(agent);
    return this.#answers.text({
      agent,
      instruction,
      now,
      roster: membersOf(state),
      outputs: shownOutputs(state, instruction),
      notices: noticesFor(state, agent, body.known.notice),
      notice: state.noticeSeq,
      known: body.known,
    });
  }

  /**
   * The same for the agent of this process: nothing is made text of, cut or left out.
   * @param notice the newest one that it knows
   */
  async syncFirst(
    request: Numbered,
    said: Said,
    notice: number,
    signal: AbortSignal,
  ): Promise<{ readonly answer: SyncAnswer; readonly notice: number }> {
    const { agent } = await this.#exchange(request, said, signal);
    const { state, now } = this.host;
    const instruction = this.host.instruct(agent);
    const answer = {
      instruction,
      now,
      roster: membersOf(state),
      outputs: shownOutputs(state, instruction) ?? outputsOf(state),
      notices: noticesFor(state, agent, notice).map(({ text }) => text),
    };
    return { answer, notice: state.noticeSeq };
  }

  /** Applies what an agent says, once, and waits until there is something to answer. */
  async #exchange(request: Numbered, said: Said, signal: AbortSignal): Promise<SessionState> {
    const { host } = this;
    const session = this.#inForce(request.session);
    const { agent } = session;
    if (checkSequence(session, request) === "new") {
      const accepted = { session: session.id, sequence: request.sequence, digest: request.digest };
      const base = { at: host.now, agent, session: session.id };
      if (said.reset !== null) {
        host.commit({ event: { type: "reset", ...base, why: said.reset } });
        host.forget(agent);
      }
      host.commit({ event: { type: "synced", ...base, sequence: request.sequence, ...said.sync }, accepted });
      this.sessions.accept(accepted);
    }
    // A repetition of what has been answered: the answer was lost, so it is due at once.
    const holdMs = session.answered === request.sequence ? 0 : said.holdMs;
    await host.untilChanged(agent, holdMs, signal);
    await host.saved();
    session.answered = request.sequence;
    return session;
  }

  async leave(request: Numbered, why: string): Promise<void> {
    const session = this.#session(request.session);
    if (this.host.isOver) {
      // It has heard so: nothing of the run changes any more, and nothing is kept.
      this.host.noteHeardEnd(session.agent);
      return;
    }
    if (checkSequence(session, request) === "new") {
      const accepted = { session: session.id, sequence: request.sequence, digest: request.digest };
      const event = { type: "left", at: this.host.now, agent: session.agent, session: session.id, why } as const;
      this.host.commit({ event, accepted });
      this.sessions.accept(accepted);
    }
    await this.host.saved();
  }

  refused(agent: string, { checkRunId, repository }: Principal, { code, message }: Refusal): void {
    const { state, now } = this.host;
    // Whoever has a shared secret may come again, as anybody.
    if (state.status !== "assembling" || repository === null || !FINAL.has(code)) return;
    // What holds a place is not missing: its own second try, or (where tokens do not tell jobs apart) one of its name.
    const isHere = (other: AgentState): boolean =>
      isThere(other) && (checkRunId === null ? other.name === agent : other.checkRunId === checkRunId);
    if ([...itemsOf(state.agents)].some(isHere)) return;
    const id = checkRunId === null ? agentIdentity(agent) : jobIdentity(checkRunId);
    const why = escapeUnprintable(`${agent} was refused: ${message}`).slice(0, LONGEST_WHY);
    this.host.commit({ event: { type: "not_coming", at: now, absent: [{ id, why }] } });
  }

  heard(session: string): void {
    const known = this.sessions.get(session);
    if (known !== undefined) this.host.heard(known.agent, known.id);
  }

  knows(session: string): boolean {
    return this.sessions.get(session) !== undefined;
  }

  async terms(): Promise<RunTerms> {
    await this.host.confirm();
    return termsOf(this.host.state);
  }

  async status(): Promise<unknown> {
    await this.host.confirm();
    const { state } = this.host;
    return {
      run: this.id,
      key: this.key,
      plan: { name: state.plan.name, digest: this.#digest },
      status: state.status,
      now: this.host.now,
      agents: membersOf(state),
      explanation: explain(state),
      summary: this.#answers.summary(this.host.summary()),
    };
  }

  get #digest(): string {
    this.#planDigest ??= planDigest(this.host.state.plan);
    return this.#planDigest;
  }

  /** @throws Refusal `different_plan` naming what the request would have otherwise */
  #checkSameRun(request: JoinRequest): void {
    const { plan, selection, agentCount, agents } = this.host.state;
    const others = itemCount(agents) === 0 ? "the coordinator" : "the others";
    if (request.plan !== plan && planDigest(request.plan) !== this.#digest) {
      const difference = planDifference(plan, request.plan);
      throw new Refusal(
        "different_plan",
        `${request.agent} has another plan than ${others} of this run (here: theirs, there: its own): ${difference}`,
      );
    }
    if (canonicalJson(request.selection) !== canonicalJson(selection)) {
      throw new Refusal(
        "different_plan",
        `${request.agent} selects other stages than ${others} of this run: ${canonicalJson(request.selection)}, not ${canonicalJson(selection)}`,
      );
    }
    if (request.agentCount !== agentCount) {
      throw new Refusal(
        "different_plan",
        `${request.agent} expects ${request.agentCount} agents, ${others} of this run ${agentCount}: they must name one number (agent-count, or agents in the plan)`,
      );
    }
  }

  #session(id: string): SessionState {
    const session = this.sessions.get(id);
    if (session === undefined) throw new Refusal("unauthorized", "this session is not one of this run: join it first");
    return session;
  }

  /** What somebody is told who joins when the run is over. */
  async #ended(agent: string): Promise<RunEnded> {
    await this.host.saved();
    this.host.noteHeardEnd(agent);
    const { state } = this.host;
    const summary = this.#answers.agentSummary(this.host.summary(), agent);
    const wasMember =
      state.roster === null
        ? lookUp(state.names, agent) !== undefined
        : state.roster.agents.some(({ name }) => name === agent);
    const reason = `this run is over (${state.status}): ${summary.message}`;
    return new RunEnded(wasMember ? reason : `${reason}; it ended without ${agent}`, summary, wasMember);
  }

  /** The session, if it is still the one that speaks for its agent. */
  #inForce(id: string): SessionState {
    const session = this.#session(id);
    const { agents, names, dropped } = this.host.state;
    const agent =
      itemAt(agents, lookUp(names, session.agent) ?? -1) ?? dropped.find(({ name }) => name === session.agent);
    if (agent?.session === null) {
      throw new Refusal("ended", `${session.agent} has left this run`);
    }
    if (agent?.session !== id) {
      throw new Refusal("held", `${session.agent} is held by another process by now: this one was replaced`);
    }
    return session;
  }
}
