/** The keys of a stage that say what it sees of what others told, and that it is there to tell. */
import { flag, patterns, whole } from "../parsing/value-schemas.ts";

export const contextKeys = {
  gathers_context: () =>
    flag()
      .describe("What it tells is context for others: with `--enable-quorum` and no `--enable-context` it is left out")
      .optional(),
  context: () =>
    patterns()
      .describe("Which outputs (`<stage>.<key>` patterns, `*` any text) its commands see; default all")
      .optional(),
  context_limit: () =>
    whole(1, 104_857_600).describe("Bytes of outputs that its commands see; default 1 MiB").optional(),
};
