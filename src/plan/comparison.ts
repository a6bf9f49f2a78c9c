/** Whether a value is as a comparison of a plan wants it: of metrics with their bounds, of versions. */
import type { Comparison } from "./plan.ts";

export function comparesAs(got: number, comparison: Comparison, value: number): boolean {
  switch (comparison) {
    case ">":
      return got > value;
    case ">=":
      return got >= value;
    case "<":
      return got < value;
    case "<=":
      return got <= value;
    case "==":
      return got === value;
    case "!=":
      return got !== value;
    default:
      return comparison satisfies never;
  }
}
