/** The agents of one run, as the jobs of a workflow would be: told over IPC what to join, it tells how each ended. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { createAgent } from "../../src/agent/agent.ts";
import { HttpCoordinator } from "../../src/coordinator/client/client.ts";
import { planOf } from "../coordinator/builders.ts";
import { program } from "../programs.ts";

const orders = z.object({
  coordinator: z.string(),
  plan: z.string(),
  directory: z.string(),
  repositoryId: z.string(),
  runId: z.string(),
  /** Where the job of each agent asks for its token. */
  jobs: z.array(z.object({ url: z.string(), token: z.string() })),
});
export type GroupOrders = z.infer<typeof orders>;

/** On a busy machine the app may be away for longer than an agent waits by itself. */
const SILENCE_MS = 10 * 60_000;

/** How one agent ended; text: why it did not. */
export type GroupEnds = readonly { readonly agent: string; readonly end: string }[];

process.once("message", (message) => {
  void all(orders.parse(message)).then((ends) => process.send?.(ends, () => process.disconnect()));
});

async function all(told: GroupOrders): Promise<GroupEnds> {
  return await Promise.all(told.jobs.map((_, index) => one(told, index)));
}

async function one(told: GroupOrders, index: number): Promise<GroupEnds[number]> {
  const { coordinator, plan: text, directory, repositoryId, runId, jobs } = told;
  const agent = `node-${index}`;
  const plan = planOf(text);
  const folder = join(directory, agent);
  mkdirSync(folder, { recursive: true });
  const job = jobs[index];
  const audience = encodeURIComponent(new URL(coordinator).origin);
  const made = createAgent({
    plan,
    planFile: "plan.yml",
    key: { repositoryId, runId, attempt: 1, group: "train", plan: plan.name },
    name: agent,
    role: null,
    index,
    address: null,
    workingDirectory: directory,
    environment: { PATH: process.env.PATH, RUNNER_TEMP: folder },
    ownSecrets: [],
    commandLine: [process.execPath, program("src/cli.ts")],
    log: (event) => process.stderr.write(`${JSON.stringify({ at: Date.now(), agent, ...event })}\n`),
    coordinator: new HttpCoordinator({
      url: new URL(coordinator),
      credential: async () => {
        const headers = { authorization: `Bearer ${job?.token}` };
        const answer = await fetch(`${job?.url}&audience=${audience}`, { headers });
        return z.object({ value: z.string() }).parse(await answer.json()).value;
      },
      onRetry: (why, tries) => process.stderr.write(`${agent}: ${why} (${tries})\n`),
    }),
    selection: { only: null, skip: [], stopAfter: null },
    agentCount: jobs.length,
    silenceMs: SILENCE_MS,
  });
  try {
    const end = await made.run();
    return { agent, end: end.kind === "finished" ? end.summary.verdict : `${end.kind}: ${end.why}` };
  } catch (error) {
    return { agent, end: error instanceof Error ? `threw ${error.message}` : String(error) };
  }
}
