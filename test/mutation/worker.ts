/** A process that tries one change after the other: `session.ts` starts it, asks it, and ends it when it hangs. */
import { z } from "zod";
import { isRoom } from "./rooms.ts";
import { RoomTests } from "./tests.ts";

const mutation = z.object({ start: z.int(), end: z.int(), by: z.string(), kind: z.string() });
const request = z.discriminatedUnion("ask", [
  z.object({ ask: z.literal("learn") }),
  z.object({
    ask: z.literal("try"),
    file: z.string(),
    mutation,
    testFiles: z.array(z.string()),
    mostTicks: z.number(),
  }),
]);
export type Request = z.infer<typeof request>;

const learnt = z.object({
  files: z.array(z.object({ file: z.string(), ms: z.number(), sites: z.array(z.int()) })),
  mostTicks: z.number(),
});
export type Learnt = z.infer<typeof learnt>;
export const answer = z.union([
  z.object({ learnt }),
  /** The test that failed; null: none. */
  z.object({ killedBy: z.string().nullable() }),
  z.object({ fault: z.string() }),
]);
export type Answer = z.infer<typeof answer>;

const room = process.argv[2] ?? "";
if (process.send !== undefined && isRoom(room)) {
  const tests = await RoomTests.open(room);
  process.on("disconnect", () => process.exit());
  // Ctrl-C reaches all processes of a terminal; whoever started this one ends it.
  process.on("SIGINT", () => {});
  process.on("message", (message) => {
    answerTo(tests, request.parse(message))
      .catch(
        (error: unknown): Answer => ({
          fault: error instanceof Error ? (error.stack ?? error.message) : String(error),
        }),
      )
      .then((reply) => process.send?.(reply));
  });
}

async function answerTo(tests: RoomTests, asked: Request): Promise<Answer> {
  if (asked.ask === "learn") return { learnt: await tests.learn() };
  tests.limit(asked.mostTicks);
  return { killedBy: await tests.try(asked.file, asked.mutation, asked.testFiles) };
}
