/**
 * Workflow commands (`::error file=a.ts,line=3::message`) in what a step prints, read as GitHub's runner reads them.
 * Pure: a line goes in, what it means comes out; only `::stop-commands::` is remembered from line to line.
 */

export type AnnotationLevel = "notice" | "warning" | "failure";

/** An annotation as the Checks API has it. Lines and columns count from 1. */
export interface StepAnnotation {
  readonly level: AnnotationLevel;
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  readonly startColumn: number | null;
  readonly endColumn: number | null;
  readonly title: string | null;
  readonly message: string;
}

/** What one printed line means to the runner. */
export type LineMeaning =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "annotation";
      readonly annotation: Omit<StepAnnotation, "path"> & { readonly path: string | null };
    }
  | { readonly kind: "mask"; readonly value: string }
  | { readonly kind: "output" | "state"; readonly name: string; readonly value: string }
  | { readonly kind: "stopped" | "resumed" }
  /** Known, and without effect here: debug, echo, matchers. */
  | { readonly kind: "ignored" }
  /** A command that the runner refuses; the step fails. */
  | { readonly kind: "refused"; readonly message: string };

/** GitHub cuts an annotation's message here. */
export const MESSAGE_LIMIT = 4096;
/** GitHub keeps this many annotations of each level from one step. */
export const ANNOTATIONS_PER_LEVEL = 10;

const LEVELS: Readonly<Record<string, AnnotationLevel>> = { notice: "notice", warning: "warning", error: "failure" };
const KNOWN = [
  ...["notice", "warning", "error", "debug", "group", "endgroup", "add-mask", "stop-commands", "echo", "add-matcher"],
  ...["remove-matcher", "set-output", "save-state", "set-env", "add-path", "internal-set-repo-path"],
];

interface Command {
  readonly name: string;
  readonly properties: ReadonlyMap<string, string>;
  readonly value: string;
}

const unescapeValue = (text: string): string =>
  text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
const unescapeProperty = (text: string): string =>
  text
    .replaceAll("%0D", "\r")
    .replaceAll("%0A", "\n")
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%25", "%");

/** `::name key=value,key=value::text`; null when the line is not a command. */
function parseCommand(line: string): Command | null {
  const text = line.trimStart();
  if (!text.startsWith("::")) return null;
  const end = text.indexOf("::", 2);
  if (end < 0) return null;
  const head = text.slice(2, end);
  const space = head.indexOf(" ");
  const name = space < 0 ? head : head.slice(0, space);
  if (name === "") return null;
  const properties = new Map<string, string>();
  if (space >= 0) {
    for (const pair of head
      .slice(space + 1)
      .trim()
      .split(",")) {
      const equals = pair.indexOf("=");
      if (equals > 0 && equals < pair.length - 1) {
        properties.set(pair.slice(0, equals).trim().toLowerCase(), unescapeProperty(pair.slice(equals + 1)));
      }
    }
  }
  return { name: name.toLowerCase(), properties, value: unescapeValue(text.slice(end + 2)) };
}

function positive(text: string | undefined): number | null {
  const number = Number(text);
  return text !== undefined && Number.isInteger(number) && number > 0 ? number : null;
}

function annotationOf(level: AnnotationLevel, command: Command): LineMeaning {
  const { properties } = command;
  const startLine = positive(properties.get("line")) ?? 1;
  const startColumn = positive(properties.get("col"));
  return {
    kind: "annotation",
    annotation: {
      level,
      path: properties.get("file") ?? null,
      startLine,
      endLine: positive(properties.get("endline")) ?? startLine,
      startColumn,
      endColumn: positive(properties.get("endcolumn")) ?? startColumn,
      title: properties.get("title") ?? null,
      message: command.value.slice(0, MESSAGE_LIMIT),
    },
  };
}

/** A reader for the lines of one step (or of a whole job: a stop lasts until its own token). */
export function workflowCommandReader(): (line: string) => LineMeaning {
  let stopToken: string | null = null;
  return (line) => {
    if (stopToken !== null) {
      if (line.trim() === `::${stopToken}::`) {
        stopToken = null;
        return { kind: "resumed" };
      }
      return { kind: "text", text: line };
    }
    const command = parseCommand(line);
    if (command === null || !KNOWN.includes(command.name)) return { kind: "text", text: line };
    const level = LEVELS[command.name];
    if (level !== undefined) return annotationOf(level, command);
    switch (command.name) {
      case "add-mask":
        // The runner warns about an empty mask and takes none.
        return command.value.trim() === "" ? { kind: "ignored" } : { kind: "mask", value: command.value };
      case "stop-commands":
        if (command.value === "" || KNOWN.includes(command.value.toLowerCase())) {
          return { kind: "refused", message: `Invalid token for ::stop-commands::: "${command.value}"` };
        }
        stopToken = command.value;
        return { kind: "stopped" };
      case "set-output":
      case "save-state": {
        const name = command.properties.get("name");
        if (name === undefined) {
          return { kind: "refused", message: `Required field 'name' is missing in ##[${command.name}] command.` };
        }
        return { kind: command.name === "set-output" ? "output" : "state", name, value: command.value };
      }
      case "set-env":
      case "add-path":
        return { kind: "refused", message: `The \`${command.name}\` command is disabled. Use the environment files.` };
      case "group":
        return { kind: "text", text: `##[group]${command.value}` };
      case "endgroup":
        return { kind: "text", text: "##[endgroup]" };
      default:
        return { kind: "ignored" };
    }
  };
}
