/** What the step leaves for its post step: `STATE_*` on the way in. Apart from `post-state.ts`, which needs no schema. */
import { timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { githubId } from "../github/id.ts";
import { NAME, type SealKey, seal } from "./state-seal.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const runState = z.object({
  /** A copy of the plan as it was when the run began, and its SHA-256. */
  planCopy: z.string(),
  planDigest: z.string(),
  planFile: z.string(),
  agent: z.string(),
  startedAt: z.number(),
  /** Where files of stages are kept; null: no stage asks for it. */
  collectTo: z.string().nullable(),
});
export type PostRunState = z.infer<typeof runState>;

const checkState = z.object({
  id: githubId,
  name: z.string(),
  headSha: z.string(),
  externalId: z.string(),
  /** The app that opened it; null: GitHub did not say. */
  appId: z.number().nullable(),
});
export type CheckState = z.infer<typeof checkState>;

/** Of a check run that GitHub was asked to open, and has not said yet that it did. */
const openingState = checkState.pick({ name: true, headSha: true, externalId: true });
export type OpeningState = z.infer<typeof openingState>;

const member = z.object({
  name: z.string(),
  index: z.number(),
  role: z.string().nullable(),
  roleIndex: z.number(),
  address: z.string().nullable(),
});

const groupState = z.object({
  /** Stages that the run was told to leave out. */
  skip: z.array(z.number()),
  /** Who this agent was, and who else was there. */
  member,
  roster: z.array(member),
  /** The group may go on without this agent. */
  leftOut: z.boolean(),
});
export type GroupState = Readonly<z.infer<typeof groupState>>;

const left = z.object({
  run: runState.nullable(),
  /** Null: the group was not complete. */
  group: groupState.nullable(),
  /** A stage has been started, so there may be something to clean up. */
  started: z.boolean(),
  /** The run came to its own end (with its cleanup): its verdict; null: it was interrupted. */
  finished: z.enum(["success", "failure", "cancelled"]).nullable(),
  check: checkState.nullable(),
  opening: openingState.nullable(),
  /** The check run has its conclusion. */
  concluded: z.boolean(),
  /** The check run that shows where the leader listens, until it is out. */
  beacon: checkState.nullable(),
});
export type PostState = z.infer<typeof left>;

/** Null: nothing was left. "altered": something was, by somebody else. */
export function readState(env: Environment, key: SealKey): PostState | "altered" | null {
  const text = env[`STATE_${NAME}`] ?? "";
  if (text === "") return null;
  const dot = text.indexOf(".");
  const given = Buffer.from(text.slice(0, dot), "hex");
  const wanted = seal(text.slice(dot + 1), key);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return "altered";
  return left.parse(JSON.parse(text.slice(dot + 1)));
}
