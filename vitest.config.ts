import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Tests start real processes on shared machines: generous, so that slowness alone never fails one.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
