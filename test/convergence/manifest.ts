/** What the app's manifest asks for, read once. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

const manifest = z
  .object({
    default_permissions: z.record(z.string(), z.enum(["read", "write"])),
    default_events: z.array(z.string()),
  })
  .parse(parse(readFileSync(new URL("../../app/app-full.yml", import.meta.url), "utf8")));

export const MANIFEST = { permissions: manifest.default_permissions, events: manifest.default_events };
