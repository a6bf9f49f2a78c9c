/**
 * GitHub's time, as each OIDC token comes with it. Tokens live for five minutes: a machine whose clock is wrong by more
 * would refuse the tokens of all others, and they its own.
 */

/** A difference that is small is as likely the answer's way as the clock. Milliseconds. */
const NOTICED_MS = 30_000;

export class TokenClock {
  readonly #say: (text: string) => void;
  readonly #local: () => number;
  #offsetMs = 0;
  #isSaid = false;

  /** @param say told once that this machine's clock is wrong; `local`: its clock, milliseconds since the epoch */
  constructor(say: (text: string) => void, local: () => number = Date.now) {
    this.#say = say;
    this.#local = local;
  }

  /** Learns from an answer of GitHub's. @param date its `Date`, which has whole seconds */
  heard(date: string | null): void {
    const theirs = Date.parse(date ?? "");
    if (Number.isNaN(theirs)) return;
    const offset = theirs - this.#local();
    this.#offsetMs = Math.abs(offset) < NOTICED_MS ? 0 : offset;
    if (this.#offsetMs === 0 || this.#isSaid) return;
    this.#isSaid = true;
    const how = `${Math.round(Math.abs(offset) / 1000)} s ${offset < 0 ? "ahead of" : "behind"}`;
    this.#say(
      `this machine's clock is ${how} GitHub's: tokens are judged by GitHub's, commands see this one; set it (NTP)`,
    );
  }

  /** Now, by GitHub's clock as far as it is known. */
  readonly now = (): number => this.#local() + this.#offsetMs;
}
