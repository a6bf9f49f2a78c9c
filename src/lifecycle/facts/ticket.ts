/** The ticket that a pull request belongs to: found by the policy's patterns, digits only. */

import type { TaskId } from "../policy/policy.ts";
import type { Facts } from "./facts.ts";

export type TicketSource = "label" | "branch" | "title";

export type Ticket =
  /** `number`: its digits without leading zeros. */
  | { readonly kind: "one"; readonly number: string; readonly source: TicketSource }
  | { readonly kind: "none" }
  /** One source names several: none of them is taken. */
  | { readonly kind: "several"; readonly numbers: readonly string[]; readonly source: TicketSource };

/** Label, branch and title in this order: the first in which a pattern matches decides. */
export function ticketOf(facts: Pick<Facts, "labels" | "head" | "title">, patterns: TaskId): Ticket {
  const sources: readonly [TicketSource, string | null, readonly string[]][] = [
    ["label", patterns.label, facts.labels],
    ["branch", patterns.branch, [facts.head.ref]],
    ["title", patterns.title, [facts.title]],
  ];
  for (const [source, pattern, texts] of sources) {
    const numbers = pattern === null ? [] : numbersIn(texts, pattern, source === "label");
    const [first, ...others] = numbers;
    if (first !== undefined) {
      return others.length === 0 ? { kind: "one", number: first, source } : { kind: "several", numbers, source };
    }
  }
  return { kind: "none" };
}

/** The ticket's number, or null where there is none or more than one. */
export function ticketNumber(facts: Pick<Facts, "labels" | "head" | "title">, patterns: TaskId): string | null {
  const ticket = ticketOf(facts, patterns);
  return ticket.kind === "one" ? ticket.number : null;
}

/** One sentence about the ticket; null: the policy knows none. */
export function sayTicket(facts: Pick<Facts, "labels" | "head" | "title">, patterns: TaskId): string | null {
  const sources = [
    patterns.label === null ? [] : ["a label"],
    patterns.branch === null ? [] : ["the branch"],
    patterns.title === null ? [] : ["the title"],
  ].flat();
  if (sources.length === 0) {
    return null;
  }
  const ticket = ticketOf(facts, patterns);
  switch (ticket.kind) {
    case "one":
      return `Ticket ${ticket.number}, named by its ${ticket.source}.`;
    case "several":
      return `No ticket: its ${ticket.source === "label" ? "labels name" : `${ticket.source} names`} several (${ticket.numbers.join(", ")}), and none is taken.`;
    case "none":
      return `No ticket: expected one in ${sources.join(" or ")}.`;
  }
}

/** A label is the pattern as a whole; branches and titles hold it between characters that are no letters or digits. */
function numbersIn(texts: readonly string[], pattern: string, whole: boolean): string[] {
  const [before = "", after = ""] = pattern.split("*", 2).map((part) => RegExp.escape(part));
  const inner = `${before}(\\d{1,18})${after}`;
  const expression = new RegExp(whole ? `^${inner}$` : `(?<![\\p{L}\\p{N}])${inner}(?![\\p{L}\\p{N}])`, "giu");
  const found = texts.flatMap((text) =>
    [...text.matchAll(expression)].map((match) => BigInt(match[1] ?? "0").toString()),
  );
  return [...new Set(found)];
}
