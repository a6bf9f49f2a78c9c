/** `checks` of a stage: what a machine must have before its command is worth starting. One mapping of one key for each. */
import { z } from "zod";
import { PLAN_BOUNDS } from "../bounds.ts";
import type { PreflightCheck, VersionBound } from "../plan.ts";
import { HOST_AND_PORT } from "./address.ts";
import { once } from "./lazy.ts";
import { anyVariable, comparisonOf, durationValue, list, mapping, text, whole } from "./value-schemas.ts";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};
const SIZE = 'expected a size such as "100GiB", "1.5 TB" or a number of bytes';
const size = once(() =>
  z
    .union(
      [
        z.int({ error: SIZE }).min(1, { error: SIZE }).max(Number.MAX_SAFE_INTEGER, { error: SIZE }),
        z.string({ error: SIZE }).regex(/^[0-9]{1,15}(?:\.[0-9]{1,3})? ?(?:[kKMGT]i?B|B)$/, { error: SIZE }),
      ],
      { error: SIZE },
    )
    .transform((value) => (typeof value === "number" ? value : bytesOf(value)))
    .refine((bytes) => bytes >= 1 && bytes <= Number.MAX_SAFE_INTEGER, { error: SIZE }),
);

function bytesOf(written: string): number {
  const [, number = "", unit = ""] = /^([0-9.]+) ?(.*)$/.exec(written) ?? [];
  return Math.round(Number(number) * (UNITS[unit.toUpperCase()] ?? 1));
}

const VERSION = 'expected a comparison with a version, such as ">= 3.35"';
const version = once(() =>
  z
    .string({ error: VERSION })
    .regex(/^(?:>=|<=|==|!=|>|<) {0,3}[0-9]{1,9}(?:\.[0-9]{1,9}){0,5}$/, { error: VERSION })
    .transform((value): VersionBound => {
      const [, sign = "", numbers = ""] = /^([<>=!]{1,2}) *(.*)$/.exec(value) ?? [];
      return { comparison: comparisonOf(sign), numbers: numbers.split(".").map(Number) };
    }),
);

const program = once(() => text("a program", PLAN_BOUNDS.path));
const TOOL = 'expected the name of a program or {name: fio, version: ">= 3"}';
const ADDRESS = 'expected host:port, such as "storage:443"';

const KINDS = {
  disk: () => mapping({ path: text("a path", PLAN_BOUNDS.path), free: size() }, "{path: /data, free: 100GiB}"),
  memory: size,
  tool: () => z.union([program(), mapping({ name: program(), version: version().optional() })], { error: TOOL }),
  variable: anyVariable,
  reachable: () => z.string({ error: ADDRESS }).max(300, { error: ADDRESS }).regex(HOST_AND_PORT, { error: ADDRESS }),
  port: () => whole(1, 65_535),
  clock: durationValue,
} as const;

const NAMES = Object.keys(KINDS).join(", ");
const CHECKS = `expected a list of checks, each with one of ${NAMES}`;
/** Looked at one after the other, so that they end soon. */
const MOST_CHECKS = 100;

export const preflightChecks = once(() => {
  const shape = Object.fromEntries(Object.entries(KINDS).map(([kind, schema]) => [kind, schema().optional()]));
  // Each key by its own schema: `shape` has lost which is which.
  const check = mapping(shape as { [K in keyof typeof KINDS]: z.ZodOptional<ReturnType<(typeof KINDS)[K]>> }, "a check")
    .refine((said) => Object.keys(said).length === 1, {
      error: `expected one of ${NAMES}, each in an entry of its own`,
    })
    .transform((said): PreflightCheck => toCheck(said));
  return list(check, "checks", MOST_CHECKS).min(1, { error: CHECKS });
});

type Said = { [K in keyof typeof KINDS]?: z.output<ReturnType<(typeof KINDS)[K]>> | undefined };

function toCheck({ disk, memory, tool, variable, reachable, port, clock }: Said): PreflightCheck {
  if (disk !== undefined) return { kind: "disk", path: disk.path, freeBytes: disk.free };
  if (memory !== undefined) return { kind: "memory", availableBytes: memory };
  if (typeof tool === "string") return { kind: "tool", name: tool, version: null };
  if (tool !== undefined) return { kind: "tool", name: tool.name, version: tool.version ?? null };
  if (variable !== undefined) return { kind: "variable", name: variable };
  if (reachable !== undefined) return { kind: "reachable", address: reachable };
  if (port !== undefined) return { kind: "port", port };
  return { kind: "clock", mostMs: clock ?? 0 };
}
