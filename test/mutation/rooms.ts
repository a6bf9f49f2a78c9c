/** What is changed, and which tests have to notice. */
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { instrument, type Site } from "./instrument.ts";

export const ROOT = resolve(import.meta.dirname, "../..");

export const ROOMS = {
  plan: ["test/plan/**/*.test.ts"],
  run: ["test/run/**/*.test.ts", "test/simulation/simulation.test.ts"],
  lifecycle: ["test/lifecycle/**/*.test.ts"],
  report: ["test/report/**/*.test.ts"],
} as const satisfies Record<string, readonly string[]>;

export type Room = keyof typeof ROOMS;

export function isRoom(name: string): name is Room {
  return Object.hasOwn(ROOMS, name);
}

export interface Source {
  /** From the root of the tree. */
  readonly file: string;
  readonly text: string;
  readonly sites: readonly Site[];
  /** The number of its first site among those of the room. */
  readonly firstSite: number;
}

export function sourcesOf(room: Room): readonly Source[] {
  let firstSite = 0;
  return globSync(`src/${room}/**/*.ts`, { cwd: ROOT })
    .toSorted()
    .map((file) => {
      const text = readFileSync(join(ROOT, file), "utf8");
      const { sites } = instrument(file, text, firstSite);
      const source = { file, text, sites, firstSite };
      firstSite += sites.length;
      return source;
    });
}
