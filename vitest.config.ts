import { defineConfig } from "vitest/config";
import { LongWaitsFirst } from "./test/order.ts";

/** What changes something that a whole process shares: its clock and timers, its modules, or its way to the network. */
const ALONE = [
  "test/convergence/**/*.test.ts",
  "test/simulation/**/*.test.ts",
  "test/github/graphql.test.ts",
  "test/github/policy-file.test.ts",
  "test/app/effects/unreadable-answers.test.ts",
  "test/app/store/before-0012/before-0012.test.ts",
  "test/security/files-at-rest.test.ts",
  "test/security/post-step.test.ts",
];

/** Whole programs, machines that die, disks and databases that fail: `npm run test:end-to-end`, some minutes of its own. */
const END_TO_END = ["end-to-end", "durability", "deploy", "app/postgres"].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    globalSetup: ["test/compile-cache.ts", "test/programs.ts", "test/postgres/postgres.ts"],
    sequence: { sequencer: LongWaitsFirst },
    // Tests start real processes on shared machines: generous, so that slowness alone never fails one.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes when it comes, on whatever machine: the default is a second.
    expect: { poll: { timeout: 30_000 } },
    // Node runs the sources as it does for users, and keeps what it has compiled for the next process.
    experimental: { viteModuleRunner: false },
    // Tests make much that lives shortly: with Node's default of 16 MiB for it they take a twelfth more processor time.
    execArgv: ["--max-semi-space-size=64"],
    // End-to-end tests mostly wait (for a loss to be noticed, for a grace to be over): more of them than there are cores.
    maxWorkers: 4,
    projects: [
      { extends: true, test: { name: "alone", include: ALONE } },
      // Files take turns in a few processes, which load the modules once: a quarter of the time was loading them anew.
      {
        extends: true,
        test: { name: "together", include: ["test/**/*.test.ts"], exclude: [...ALONE, ...END_TO_END], isolate: false },
      },
      { extends: true, test: { name: "end-to-end", include: END_TO_END, isolate: false } },
    ],
  },
});
