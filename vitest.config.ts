import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/compile-cache.ts",
    // Tests start real processes on shared machines: generous, so that slowness alone never fails one.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // End-to-end tests mostly wait (for a loss to be noticed, for a grace to be over): more of them than there are cores.
    maxWorkers: 4,
  },
});
