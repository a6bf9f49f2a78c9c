/**
 * Texts of actions with places to fill in. The list of names is closed: no title, description or comment of outsiders
 * gets into a text, an input or a payload. A reason may name checks, files and labels, which others name as they like.
 */
import { suggestion } from "../../plan/parsing/problems.ts";
import { clip, markdown } from "../../report/escape.ts";

export const TEMPLATE_KEYS = ["number", "sha", "base", "stage", "owner", "ticket", "reason"] as const;
export type TemplateKey = (typeof TEMPLATE_KEYS)[number];
/** What is not known (no ticket, no owner) is an empty text. */
export type TemplateValues = Readonly<Record<TemplateKey, string>>;

/** Braces end what stands between braces, so each character is looked at once; white space around a name is cut off later. */
const PLACE = /\{\{([^{}]*)\}\}/g;
/** What is longer is no slip in a name, but somebody else's braces. */
const LONGEST_NAME = 64;

/** What is wrong with a template, one sentence each: names that are not on the list. */
export function templateProblems(template: string): string[] {
  const problems = new Set<string>();
  for (const [, between = ""] of template.matchAll(PLACE)) {
    const name = between.trim();
    if (!isKey(name) && name.length <= LONGEST_NAME) {
      const expected = TEMPLATE_KEYS.map((key) => `{{${key}}}`).join(" ");
      problems.add(`expected one of ${expected}${suggestion(name, TEMPLATE_KEYS)}`);
    }
  }
  return [...problems];
}

/** Characters of one value in an input or a payload. */
const LONGEST_VALUE = 500;

/** The policy itself says these; an owner may be a team, `@org/team`. All others may hold what outsiders named. */
const OF_THE_POLICY: ReadonlySet<TemplateKey> = new Set(["stage", "owner"]);

/**
 * The text for inputs and payloads. Workflows put these into scripts, by `${{ inputs.why }}` too, so values keep only
 * what means nothing to a shell, YAML or Markdown; each other character becomes `_`. That depends on the place, too: a
 * mark that begins a word may make it an option (`-f`), a comment (`#`) or a file to be read (`@f`), and a colon that
 * ends one makes it a key.
 */
export function fill(template: string, values: TemplateValues): string {
  return template.replace(PLACE, (place, between: string) => {
    const name = between.trim();
    if (!isKey(name)) {
      return place;
    }
    const kept = harmless(values[name]);
    return OF_THE_POLICY.has(name) ? kept : wordByWord(kept);
  });
}

function harmless(value: string): string {
  return clip(value, LONGEST_VALUE).replaceAll(/[^\p{L}\p{N} .,:/@#+_-]/gu, "_");
}

function wordByWord(value: string): string {
  return value
    .split(" ")
    .map((word) => word.replace(/^[-,:/@#+]+/u, (marks) => "_".repeat(marks.length)).replace(/:$/u, "_"))
    .join(" ");
}

/** The text with its values escaped for Markdown; an owner that can be mentioned is. */
export function fillMarkdown(template: string, values: TemplateValues): string {
  return template.replace(PLACE, (place, between: string) => {
    const name = between.trim();
    return !isKey(name) ? place : name === "owner" ? mention(values.owner) : markdown(values[name]);
  });
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
