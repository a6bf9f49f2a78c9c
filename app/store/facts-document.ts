/**
 * How a pull request's facts are written: what was observed last is mostly what the facts say, and is written once. A
 * third of a usual document, and of one with a long description nearly half.
 */
import type { Facts, Observed, PullState } from "../../src/lifecycle/facts/facts.ts";

const STATES: Readonly<Record<keyof PullState, true>> = {
  repository: true,
  nodeId: true,
  title: true,
  body: true,
  author: true,
  state: true,
  merged: true,
  draft: true,
  openedAt: true,
  head: true,
  base: true,
  labels: true,
  updatedAt: true,
};

type Written = Readonly<Record<string, unknown>>;

/** What is to be written: of `observed` only what the facts say otherwise. */
export function observedOnce(facts: Facts): Written {
  const { observed } = facts;
  if (observed === null) {
    return { ...facts };
  }
  const said = statesOf(facts);
  const others = Object.entries(observed).filter(
    ([key, value]) => !(key in said) || JSON.stringify(value) !== JSON.stringify(said[key]),
  );
  return { ...facts, observed: Object.fromEntries(others) };
}

/** What was written, as facts: `observed` says all of it again. */
export function observedTwice(written: Written): Written {
  const { observed } = written as { readonly observed?: Partial<Observed> | null };
  return observed == null ? written : { ...written, observed: { ...statesOf(written), ...observed } };
}

/** The states among the facts, as an observation has them. */
function statesOf(facts: Written | Facts): Written {
  const states = Object.entries(facts).filter(([key]) => key in STATES);
  return { ...Object.fromEntries(states), head: withoutDate(facts.head) };
}

/** Since when it is the head was not observed. */
function withoutDate(head: unknown): unknown {
  const { at: _, ...rest } = head as Facts["head"];
  return rest;
}
