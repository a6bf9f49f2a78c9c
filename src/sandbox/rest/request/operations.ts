/** Which operations there are: what is served here, and what only GitHub does. */
import type { Description } from "../../openapi/excerpt.ts";
import type { Route } from "../route.ts";
import { routes } from "../routes.ts";
import { Matcher } from "./match.ts";

/** An operation of GitHub's that has no route here. */
interface Unserved {
  readonly operation: string;
  readonly id: string;
}

type Known = Route | Unserved;

/** What is served and what is not in one table, so that no route takes what belongs to a more precise operation. */
export interface Operations {
  readonly matcher: Matcher<Known>;
  /** First segments of GitHub's paths. */
  readonly roots: ReadonlySet<string>;
}

const operationsByDescription = new WeakMap<Description, Operations>();

/** Made once for all the sandboxes of a process. */
export function operationsOf(description: Description): Operations {
  const made = operationsByDescription.get(description);
  if (made !== undefined) return made;
  const others = Object.entries(description.excerpt.others).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, id]): Unserved => ({ operation: `${method} ${path}`, id })),
  );
  const known: readonly Known[] = [...routes, ...others];
  const operations: Operations = {
    matcher: new Matcher(known.map((one) => [one.operation, one] as const)),
    roots: new Set(known.map(({ operation }) => operation.split("/")[1] ?? "")),
  };
  operationsByDescription.set(description, operations);
  return operations;
}
