import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { exitCodeOf } from "../../../src/run/stage/exit-code.ts";

describe("the exit code of", () => {
  // Where the numbers are others, a shell's are, too: there the table only stands for Linux.
  it.runIf(process.platform === "linux")("a death by any signal is the one that a shell would tell", () => {
    for (const [signal, number] of Object.entries(constants.signals)) {
      expect([signal, exitCodeOf({ kind: "signalled", signal })]).toEqual([signal, 128 + number]);
    }
  });

  it("an exit is its own, and no other end has one", () => {
    expect(exitCodeOf({ kind: "exited", code: 75 })).toBe(75);
    expect(exitCodeOf({ kind: "signalled", signal: "SIGRTMIN+1" })).toBeNull();
    expect(exitCodeOf({ kind: "time_over", limit: "timeout" })).toBeNull();
  });
});
