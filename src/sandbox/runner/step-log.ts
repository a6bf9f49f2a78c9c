/** What one step prints, on its way out: commands understood, secrets hidden, annotations counted and passed on. */
import { isAbsolute, relative } from "node:path";
import type { Masks } from "./masks.ts";
import type { JobObserver } from "./types.ts";
import {
  ANNOTATIONS_PER_LEVEL,
  type AnnotationLevel,
  type StepAnnotation,
  workflowCommandReader,
} from "./workflow-commands.ts";

/** GitHub shows what belongs to no file of the repository under this name. */
const NO_FILE = ".github";

export interface StepLog {
  /** A line that the step's process printed. */
  printed(line: string): void;
  /** A line of the runner's own. */
  note(line: string): void;
  /** An error of the runner's own: a line and an annotation. */
  error(message: string): void;
  /** `::set-output` and `::save-state`, the older way, and whether a command was refused. */
  readonly said: {
    readonly outputs: ReadonlyMap<string, string>;
    readonly state: ReadonlyMap<string, string>;
    readonly refused: boolean;
  };
}

/** The log of step `number`. */
export function createStepLog(options: {
  readonly number: number;
  readonly workspace: string;
  readonly masks: Masks;
  readonly observer: JobObserver;
}): StepLog {
  const { number, workspace, masks, observer } = options;
  const read = workflowCommandReader();
  const counts: Record<AnnotationLevel, number> = { notice: 0, warning: 0, failure: 0 };
  const said = { outputs: new Map<string, string>(), state: new Map<string, string>(), refused: false };
  let lines = 0;

  const write = (line: string): void => {
    lines += 1;
    observer.line(masks.hide(line), number);
  };
  const annotate = (annotation: StepAnnotation): void => {
    counts[annotation.level] += 1;
    if (counts[annotation.level] > ANNOTATIONS_PER_LEVEL) return;
    const hide = (text: string | null): string | null => (text === null ? null : masks.hide(text));
    observer.annotation(
      { ...annotation, title: hide(annotation.title), message: masks.hide(annotation.message) },
      number,
    );
  };
  const pathOf = (file: string): string => (isAbsolute(file) ? relative(workspace, file) : file.replace(/^\.\//, ""));
  const error = (message: string): void => {
    write(`##[error]${message}`);
    const at = { startLine: lines, endLine: lines, startColumn: null, endColumn: null };
    annotate({ level: "failure", path: NO_FILE, ...at, title: null, message });
  };

  return {
    said,
    note: write,
    error,
    printed(line) {
      const meaning = read(line);
      switch (meaning.kind) {
        case "text":
          write(meaning.text);
          return;
        case "annotation": {
          const { annotation } = meaning;
          const word = annotation.level === "failure" ? "error" : annotation.level;
          write(`##[${word}]${annotation.message}`);
          const place =
            annotation.path === null
              ? { path: NO_FILE, startLine: lines, endLine: lines }
              : { path: pathOf(annotation.path) };
          annotate({ ...annotation, ...place });
          return;
        }
        case "mask":
          masks.add(meaning.value);
          write("::add-mask::***");
          return;
        case "output":
          said.outputs.set(meaning.name, meaning.value);
          return;
        case "state":
          said.state.set(meaning.name, meaning.value);
          return;
        case "refused":
          said.refused = true;
          error(meaning.message);
          return;
        case "stopped":
        case "resumed":
        case "ignored":
          return;
        default:
          meaning satisfies never;
      }
    },
  };
}
