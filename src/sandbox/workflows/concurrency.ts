/** `concurrency:` groups: one holder, at most one waiting; a newcomer sends the one waiting away. */

/** Somebody who holds or waits for a group. */
export interface Member {
  /** For messages: `run 12 of qa.yml`. */
  readonly what: string;
  /** Asked to end: by a newcomer with `cancel-in-progress`, or because a newer one waits. */
  cancel(why: string): void;
}

export interface ConcurrencyGroups {
  /** Resolves once it is the holder (then `release` must be called), or with null when given up. */
  enter(group: string, member: Member, cancelInProgress: boolean, signal: AbortSignal): Promise<(() => void) | null>;
}

interface Group {
  holder: Member;
  next: { readonly member: Member; readonly take: () => void } | null;
}

/** Groups of one repository. Names do not differ by case alone, as at GitHub. */
export function createConcurrencyGroups(): ConcurrencyGroups {
  const groups = new Map<string, Group>();
  const release = (name: string, member: Member) => (): void => {
    const group = groups.get(name);
    if (group?.holder !== member) return;
    if (group.next === null) groups.delete(name);
    else group.next.take();
  };
  return {
    enter(given, member, cancelInProgress, signal) {
      const name = given.toLowerCase();
      if (signal.aborted) return Promise.resolve(null);
      const group = groups.get(name);
      if (group === undefined) {
        groups.set(name, { holder: member, next: null });
        return Promise.resolve(release(name, member));
      }
      group.next?.member.cancel(`Canceling since a higher priority waiting request for '${given}' exists`);
      if (cancelInProgress) {
        group.holder.cancel(`Canceling since a higher priority waiting request for '${given}' exists`);
      }
      return new Promise((resolve) => {
        const onAbort = (): void => {
          if (group.next?.member === member) group.next = null;
          resolve(null);
        };
        group.next = {
          member,
          take() {
            signal.removeEventListener("abort", onAbort);
            group.holder = member;
            group.next = null;
            resolve(release(name, member));
          },
        };
        signal.addEventListener("abort", onAbort, { once: true });
      });
    },
  };
}
