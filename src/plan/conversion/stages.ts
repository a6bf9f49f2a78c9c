/** The stages of a sai3-bench configuration: as they are written, or the four that it goes through where none are. */
import { PLAN_BOUNDS } from "../bounds.ts";
import { quote } from "../parsing/problems.ts";
import { COMPLETIONS, STAGE_TYPES, type StageType } from "../plan.ts";
import { completionRules, LEGAL_COMPLETIONS, type WorkloadPhase, workloadPhase } from "../stages/completion-rules.ts";
import { benchBarrier } from "./barriers.ts";
import type { About, Section } from "./notes.ts";
import { benchDuration, distinct, durationAt, flagAt, nameOf, wholeAt, wordAt } from "./values.ts";

const MOST_OBJECTS = Number.MAX_SAFE_INTEGER;

/** A key of the configuration. */
export interface WrittenAt {
  readonly section: Section;
  readonly key: string;
}

export interface ConvertedStages {
  readonly stages: readonly Readonly<Record<string, unknown>>[];
  /** The commands of the workload that they take, and where each is asked for first. */
  readonly commands: ReadonlyMap<WorkloadPhase, WrittenAt>;
}

/** What the whole configuration says of its workload. */
export interface ExecuteKeys {
  readonly thresholds: Readonly<Record<string, unknown>> | null;
  /** As a plan writes it; null: none. */
  readonly warmup: string | null;
}

/** What the configuration says for all its stages. */
export interface SharedByStages extends ExecuteKeys {
  /** The most heartbeats that any of its barriers may miss. */
  readonly missed: number;
}

const STAGE_KEYS: Readonly<Record<string, About>> = {
  duration: ["changed", "only stages of type execute have one, left out"],
  expected_objects: ["changed", "only stages of type prepare and cleanup have it, left out"],
  expected_tasks: ["changed", "only hybrid stages have it, left out"],
  max_duration: ["changed", "only hybrid stages have it, left out"],
};

/** The stages under `distributed.stages`, in the order in which they run. */
export function writtenStages(sections: readonly Section[], shared: SharedByStages): ConvertedStages {
  const commands = new Map<WorkloadPhase, WrittenAt>();
  const taken = sections.slice(0, PLAN_BOUNDS.stages);
  for (const { notes, source, path } of sections.slice(PLAN_BOUNDS.stages)) {
    notes.add("changed", source.at(path), `${path.join(".")}: more than ${PLAN_BOUNDS.stages} stages, left out`);
  }
  const names = new Set<string>();
  const stages = taken.map((section) => {
    const order = wholeAt(section, "order", 0, 1_000_000);
    return { order, stage: stageOf(section, names, shared, commands) };
  });
  const orders = stages.map(({ order }) => order);
  const isOrdered = !orders.includes(null) && new Set(orders).size === orders.length;
  const [first] = taken;
  if (!isOrdered && first !== undefined) {
    first.tell("changed", "order", "not every stage has one of its own: the plan lists them as they run, without");
  }
  const last = Number.POSITIVE_INFINITY;
  const sorted = stages.toSorted((a, b) => (a.order ?? last) - (b.order ?? last) || 0);
  return {
    stages: sorted.map(({ order, stage: { name, ...rest } }) =>
      isOrdered ? { name, order, ...rest } : { name, ...rest },
    ),
    commands,
  };
}

/** What a configuration without stages goes through: preflight, prepare, execute, and cleanup where it asks for that. */
export function impliedStages(root: Section, prepare: Section | null, execute: ExecuteKeys): ConvertedStages {
  const commands = new Map<WorkloadPhase, WrittenAt>();
  const stages: Record<string, unknown>[] = [{ name: "preflight", type: "validation", timeout: "5m" }];
  commands.set("preflight", { section: root, key: "workload" });
  if (prepare !== null) {
    const objects = objectsOf(prepare);
    const expected = objects === null || objects === 0 ? {} : { expected_objects: objects };
    if (objects !== null && objects > 0) {
      prepare.tell("mapped", "ensure_objects", `expected_objects: ${objects} of the stage prepare`);
      prepare.tell("needs a command", "ensure_objects", counting(objects));
    }
    stages.push({ name: "prepare", type: "prepare", ...expected });
    commands.set("prepare", { section: prepare, key: "ensure_objects" });
  }
  const said = root.get("duration");
  const duration = durationAt(root, "duration");
  if (duration === null && said !== undefined && isZero(said)) {
    root.tell("mapped", "duration", "nothing is to be executed, and the plan has no stage execute");
  } else {
    if (duration !== null) root.tell("mapped", "duration", `duration: ${duration} of the stage execute`);
    else root.tell("changed", "duration", "the stage execute lasts 60s, as is usual there");
    const lasts = duration ?? "60s";
    stages.push({ name: "execute", type: "execute", duration: lasts, ...executeKeys(root, execute, lasts) });
    commands.set("execute", { section: root, key: "workload" });
  }
  if (prepare !== null && prepare.get("cleanup") === true) {
    prepare.tell("mapped", "cleanup", "the stage cleanup");
    stages.push({ name: "cleanup", type: "cleanup" });
    commands.set("cleanup", { section: prepare, key: "cleanup" });
  }
  return { stages, commands };
}

function isZero(value: unknown): boolean {
  return value === 0 || (typeof value === "string" && /^0+ ?[a-z]*$/.test(value.slice(0, 64)));
}

/** Objects that have to be there before the workload; null where one of the counts cannot be read. */
function objectsOf(prepare: Section): number | null {
  const counts = prepare.sections("ensure_objects").map((section) => wholeAt(section, "count", 0, MOST_OBJECTS));
  const sum = counts.reduce((all: number, each) => all + (each ?? Number.NaN), 0);
  return Number.isSafeInteger(sum) ? sum : null;
}

function stageOf(
  section: Section,
  names: Set<string>,
  shared: SharedByStages,
  commands: Map<WorkloadPhase, WrittenAt>,
): { readonly name: string; readonly [key: string]: unknown } {
  const said = section.text("name") ?? "";
  const name = distinct(nameOf(said) || "stage", names);
  if (name !== said) section.tell("changed", "name", `${quote(said)} is called ${name}`);
  const type =
    wordAt(
      section,
      "type",
      STAGE_TYPES.filter((each) => each !== "quorum"),
    ) ?? "custom";
  const own = ofType(section, type);
  const completion = completionOf(section, type, own);
  const barrier = section.section("barrier");
  const timeout = durationAt(section, "timeout_secs");
  const stage = {
    name,
    type,
    ...optional({ completion, ...own.keys, timeout_secs: timeout }),
    ...(flagAt(section, "optional") === true ? { optional: true } : {}),
    ...(type === "execute" ? executeKeys(section, shared, durationAt(section, "duration")) : {}),
    ...(barrier === null ? {} : { barrier: benchBarrier(barrier, shared.missed) }),
  };
  section.tell("mapped", "name", `stage ${name}, of type ${type}`);
  section.rest(STAGE_KEYS);
  if (own.hasCommand) return stage;
  const phase = workloadPhase(name, type);
  if (phase !== null) {
    if (!commands.has(phase)) commands.set(phase, { section, key: "name" });
    return stage;
  }
  section.tell("needs a command", "name", `the plan runs ./${name}.sh`);
  return { ...stage, run: `./${name}.sh` };
}

function counting(objects: number): string {
  const how = '{"progress":{"done":…}} in $STAGEWRIGHT_EVENTS';
  return `its command tells how many it has done (${how}): less than ${objects} over all agents fails the stage`;
}

/** The warm-up has to leave something of the stage. */
function executeKeys(
  section: Section,
  { thresholds, warmup }: ExecuteKeys,
  duration: string | null,
): Readonly<Record<string, unknown>> {
  const isShorter =
    warmup !== null && duration !== null && (benchDuration(warmup) ?? 0) < (benchDuration(duration) ?? 0);
  if (warmup !== null && !isShorter) {
    section.tell("changed", "duration", `the warm-up of ${warmup} leaves nothing of it, left out of this stage`);
  }
  return optional({ thresholds, measure: isShorter ? { warmup } : null });
}

interface OwnKeys {
  readonly keys: Readonly<Record<string, unknown>>;
  readonly hasCommand: boolean;
}

function ofType(section: Section, type: StageType): OwnKeys {
  switch (type) {
    case "execute":
      return { keys: { duration: durationAt(section, "duration") }, hasCommand: false };
    case "prepare":
    case "cleanup": {
      const objects = wholeAt(section, "expected_objects", 0, MOST_OBJECTS);
      if (objects !== null && objects > 0) {
        section.tell("needs a command", "expected_objects", counting(objects));
      }
      return { keys: { expected_objects: objects }, hasCommand: false };
    }
    case "custom": {
      const command = section.text("command");
      const args = section.get("args");
      const texts = Array.isArray(args) ? args.map(argumentOf) : [];
      const isGiven = command !== null && command !== "" && command.length <= PLAN_BOUNDS.path;
      if (!isGiven || texts.includes(null) || texts.length > PLAN_BOUNDS.list) {
        section.tell("changed", "command", "is no command with arguments, left out");
        return { keys: {}, hasCommand: false };
      }
      return { keys: { command, args: texts.length === 0 ? null : texts }, hasCommand: true };
    }
    case "hybrid":
      return {
        keys: {
          max_duration: durationAt(section, "max_duration"),
          expected_tasks: wholeAt(section, "expected_tasks", 0, MOST_OBJECTS),
        },
        hasCommand: false,
      };
    case "validation":
    case "quorum":
      return { keys: {}, hasCommand: false };
  }
}

function argumentOf(value: unknown): string | number | boolean | null {
  if (typeof value === "string") return Buffer.byteLength(value) <= PLAN_BOUNDS.argumentBytes ? value : null;
  return typeof value === "number" || typeof value === "boolean" ? value : null;
}

/** What ends the stage; null: what is usual for its type. `own` loses what the completion does not look at. */
function completionOf(
  section: Section,
  type: StageType,
  own: { keys: Readonly<Record<string, unknown>> },
): string | null {
  const said = wordAt(section, "completion", COMPLETIONS);
  if (said === null) return null;
  const legal: readonly string[] = LEGAL_COMPLETIONS[type];
  const reads: readonly string[] = completionRules(said).keys;
  const unread = Object.entries(own.keys).filter(
    ([key, value]) => value !== null && !["command", "args"].includes(key) && !reads.includes(key),
  );
  const lacks = completionRules(said).needs === "duration" && (own.keys.duration ?? null) === null;
  if (legal.includes(said) && unread.length === 0 && !lacks) return said;
  section.tell("changed", "completion", `${said} does not go with the rest of this ${type} stage, left out`);
  return null;
}

/** Without what is null. */
export function optional(keys: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== null));
}
