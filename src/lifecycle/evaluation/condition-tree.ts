/** Evaluates a condition tree: one result tree for the decision and for every explanation of it. */

import type { ConditionContext } from "../conditions/condition.ts";
import { evaluateCondition, titleOf } from "../conditions/index.ts";
import type { Condition } from "../policy/policy.ts";
import type { EvaluatedTree, ResultNode, Truth } from "./evaluation.ts";

/**
 * The verdict with its reasons. A combination is dated by the act that completed it: `all` by the newest of its
 * parts, `any` by the earliest part that holds, `not` never.
 */
export function evaluateTree(condition: Condition, context: ConditionContext): EvaluatedTree {
  const evaluate = (): EvaluatedTree => evaluateAnew(condition, context);
  return context.memo === null ? evaluate() : context.memo.of(condition, context, evaluate);
}

function evaluateAnew(condition: Condition, context: ConditionContext): EvaluatedTree {
  switch (condition.kind) {
    case "all":
      return all(condition.of.map((child) => evaluateTree(child, context)));
    case "any":
      return any(condition.of.map((child) => evaluateTree(child, context)));
    case "not":
      return not(evaluateTree(condition.of, context));
    default: {
      const { truth, ...verdict } = evaluateCondition(condition, context);
      return {
        truth,
        node: { condition: titleOf(condition), holds: truth === "yes", ...verdict, children: [] },
      };
    }
  }
}

function all(parts: readonly EvaluatedTree[]): EvaluatedTree {
  const truth: Truth = parts.some((part) => part.truth === "no")
    ? "no"
    : parts.some((part) => part.truth === "unknown")
      ? "unknown"
      : "yes";
  const children = parts.map((part) => part.node);
  const said = children.filter((child) => child.holds === (truth === "yes"));
  const newest = truth === "yes" ? newestOf(children) : null;
  return {
    truth,
    node: {
      condition: "all",
      holds: truth === "yes",
      reason: said.length === 0 ? "nothing is asked for" : said.map((child) => child.reason).join("; "),
      at: newest?.at ?? null,
      by: newest?.by ?? null,
      evidence: truth === "yes" ? children.flatMap((child) => child.evidence) : [],
      children,
    },
  };
}

function any(parts: readonly EvaluatedTree[]): EvaluatedTree {
  const truth: Truth = parts.some((part) => part.truth === "yes")
    ? "yes"
    : parts.some((part) => part.truth === "unknown")
      ? "unknown"
      : "no";
  const children = parts.map((part) => part.node);
  const first = truth === "yes" ? earliestOf(children) : null;
  return {
    truth,
    node: {
      condition: "any",
      holds: truth === "yes",
      reason: first?.reason ?? children.map((child) => child.reason).join("; or "),
      at: first?.at ?? null,
      by: first?.by ?? null,
      evidence: first?.evidence ?? [],
      children,
    },
  };
}

function not(part: EvaluatedTree): EvaluatedTree {
  const truth: Truth = part.truth === "yes" ? "no" : part.truth === "no" ? "yes" : "unknown";
  return {
    truth,
    node: {
      condition: "not",
      holds: truth === "yes",
      reason: truth === "no" ? `this must not be: ${part.node.reason}` : part.node.reason,
      at: null,
      by: null,
      evidence: [],
      children: [part.node],
    },
  };
}

function newestOf(nodes: readonly ResultNode[]): ResultNode | null {
  let newest: ResultNode | null = null;
  for (const node of nodes) {
    if (node.at !== null && (newest === null || newest.at === null || node.at > newest.at)) {
      newest = node;
    }
  }
  return newest;
}

/** Of those that hold: a state, which held all along, before an act, and the earliest act. */
function earliestOf(nodes: readonly ResultNode[]): ResultNode | null {
  let earliest: ResultNode | null = null;
  for (const node of nodes) {
    if (
      node.holds &&
      (earliest === null || (node.at ?? Number.NEGATIVE_INFINITY) < (earliest.at ?? Number.NEGATIVE_INFINITY))
    ) {
      earliest = node;
    }
  }
  return earliest;
}
