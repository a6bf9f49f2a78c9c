/**
 * Texts of actions with places to fill in. The list of names is closed: no title, description or comment of outsiders
 * gets into a text, an input or a payload. A reason may name checks, files and labels, which others name as they like.
 */
import { suggestion } from "../plan/problems.ts";
import { clip, markdown } from "../report/escape.ts";

export const TEMPLATE_KEYS = ["number", "sha", "base", "stage", "owner", "ticket", "reason"] as const;
export type TemplateKey = (typeof TEMPLATE_KEYS)[number];
/** What is not known (no ticket, no owner) is an empty text. */
export type TemplateValues = Readonly<Record<TemplateKey, string>>;

const PLACE = /\{\{\s*([^{}]{0,64}?)\s*\}\}/g;

/** What is wrong with a template, one sentence each: names that are not on the list. */
export function templateProblems(template: string): string[] {
  return [...template.matchAll(PLACE)].flatMap(([, name = ""]) =>
    isKey(name)
      ? []
      : [`expected one of ${TEMPLATE_KEYS.map((key) => `{{${key}}}`).join(" ")}${suggestion(name, TEMPLATE_KEYS)}`],
  );
}

/** Characters of one value in an input or a payload. */
const LONGEST_VALUE = 500;

/**
 * The text for inputs and payloads. Workflows put these into scripts, by `${{ inputs.why }}` too, so values keep only
 * what means nothing to a shell, YAML or Markdown; each other character becomes `_`.
 */
export function fill(template: string, values: TemplateValues): string {
  return template.replace(PLACE, (place, name: string) => (isKey(name) ? harmless(values[name]) : place));
}

function harmless(value: string): string {
  return clip(value, LONGEST_VALUE).replaceAll(/[^\p{L}\p{N} .,:/@#+_-]/gu, "_");
}

/** The text with its values escaped for Markdown; an owner that can be mentioned is. */
export function fillMarkdown(template: string, values: TemplateValues): string {
  return template.replace(PLACE, (place, name: string) =>
    !isKey(name) ? place : name === "owner" ? mention(values.owner) : markdown(values[name]),
  );
}

/** Users and teams are mentioned; an app, which nobody can notify so, is named. */
export function mention(owner: string): string {
  if (/^@[A-Za-z0-9-]+\/[A-Za-z0-9_.-]+$/.test(owner)) {
    return owner;
  }
  return /^[A-Za-z0-9-]+$/.test(owner) ? `@${owner}` : markdown(owner);
}

function isKey(name: string): name is TemplateKey {
  return TEMPLATE_KEYS.some((key) => key === name);
}
