/** What a PromQL expression asks for, by Prometheus's own grammar. */
import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";

export interface Asked {
  /** Names of metrics -> labels that are matched on each. */
  readonly metrics: ReadonlyMap<string, ReadonlySet<string>>;
  /** Labels that results are grouped or joined by. */
  readonly grouping: ReadonlySet<string>;
}

/** @throws Error with the place of what is no PromQL */
export function askedBy(expression: string): Asked {
  const metrics = new Map<string, Set<string>>();
  const grouping = new Set<string>();
  const text = ({ from, to }: SyntaxNode) => expression.slice(from, to);
  parser.parse(expression).iterate({
    enter: ({ node, type }) => {
      if (type.isError) throw new Error(`no PromQL at ${node.from}: ${expression}`);
      if (type.name === "VectorSelector") {
        const name = node.getChild("Identifier");
        if (name === null) throw new Error(`a selector without a name: ${expression}`);
        const labels = metrics.get(text(name)) ?? new Set();
        metrics.set(text(name), labels);
        for (const matcher of node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? []) {
          const label = matcher.getChild("LabelName");
          if (label !== null) labels.add(text(label));
        }
      }
      if (type.name === "GroupingLabels") {
        for (const label of node.getChildren("LabelName")) grouping.add(text(label));
      }
    },
  });
  if (metrics.size === 0) throw new Error(`it asks for no metric: ${expression}`);
  return { metrics, grouping };
}
