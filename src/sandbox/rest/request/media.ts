/** What a client asks for with `Accept`: GitHub's media types choose another form of the same thing. */

import type { Media, Operation } from "../route.ts";

/** What a text in Markdown is part of: `raw` gives its source, as JSON, which is what is given here anyway. */
const inMarkdown: ReadonlySet<Operation> = new Set<Operation>([
  "GET /repos/{owner}/{repo}/issues/{issue_number}",
  "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
  "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
  "GET /repos/{owner}/{repo}/issues/comments/{comment_id}",
  "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
  "GET /repos/{owner}/{repo}/pulls",
  "POST /repos/{owner}/{repo}/pulls",
  "GET /repos/{owner}/{repo}/pulls/{pull_number}",
  "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
  "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
  "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
  "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}",
  "PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}",
  "PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals",
]);

/** How an operation answers when it is asked for a form; null: it cannot. */
export function mediaOf(operation: Operation, form: string): Media | "json" | null {
  if (form === "raw" && inMarkdown.has(operation)) return "json";
  if (form === "raw" && operation === "GET /repos/{owner}/{repo}/contents/{path}") return "raw";
  return form === "sha" && operation === "GET /repos/{owner}/{repo}/commits/{ref}" ? "sha" : null;
}

export type Wanted =
  | { readonly kind: "json" }
  /** `application/vnd.github.raw+json` and its like. */
  | { readonly kind: "form"; readonly form: string }
  /** Nothing that GitHub knows. */
  | { readonly kind: "unknown"; readonly accept: string };

const json: Wanted = { kind: "json" };

/** `application/vnd.github.v3.raw+json`: the version and the format may be left out. */
const vendor = /^application\/vnd\.github(?:\.v\d+)?(?:\.([\w-]+))?(?:\+json)?$/;

/** The first of the listed types that GitHub knows, the most wanted ones first. */
export function wanted(accept: string | undefined): Wanted {
  if (accept === undefined || accept.trim() === "") return json;
  for (const type of byWeight(accept)) {
    if (type === "*/*" || type === "application/*" || type === "application/json") return json;
    const match = vendor.exec(type);
    if (match === null) continue;
    const form = match[1];
    // Previews switched on what all answers have by now.
    if (form === undefined || form === "json" || form.endsWith("-preview")) return json;
    return { kind: "form", form };
  }
  return { kind: "unknown", accept };
}

function byWeight(accept: string): string[] {
  return accept
    .split(",")
    .map((entry) => {
      const [type = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
      const weight = parameters.map((one) => /^q=([\d.]+)$/.exec(one)?.[1]).find((one) => one !== undefined);
      return { type, weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ type }) => type);
}
