/** `stagewright simulate`: what would happen to a pull request, and why. Changes nothing. */
import type { GitHubClient } from "../../github/port.ts";
import { type Simulation, simulatePolicy } from "../../lifecycle/evaluation/simulate.ts";
import type { Facts } from "../../lifecycle/facts/facts.ts";
import { FactsProblem, type ReadFacts, readFactsFile } from "../../lifecycle/facts-file/facts-file.ts";
import { DEFAULT_POLICY } from "../../lifecycle/policy/default-policy.ts";
import type { Policy } from "../../lifecycle/policy/policy.ts";
import { POLICY_PATH, readPolicy } from "../../lifecycle/policy/read-policy.ts";
import { LARGEST_FILE_BYTES } from "../../plan/parsing/source.ts";
import type { Problem } from "../../plan/plan.ts";
import { formatProblem } from "../../plan/read.ts";
import { oneLine } from "../../report/escape.ts";
import { EXIT, type ExitCode, UsageError } from "../exit.ts";
import { readBounded } from "../files.ts";
import { simulationJson } from "./simulation-json.ts";
import { simulationText } from "./simulation-text.ts";

export interface SimulateOptions {
  /** Undefined: the repository's own with `pr`, else the three stages that hold without a policy file. */
  readonly policy?: string;
  readonly facts?: string;
  readonly event?: string;
  readonly json?: boolean;
  readonly pr?: string;
}

const REQUEST_TIMEOUT_MS = 15_000;

/** Prints on stdout. @throws UsageError for files and names that are not right */
export async function simulate(options: SimulateOptions, env: NodeJS.ProcessEnv): Promise<ExitCode> {
  if (options.pr !== undefined) return await simulateOnGitHub(options.pr, options, env);
  if (options.facts === undefined) {
    throw new UsageError("expected --pr, a pull request's address, or --facts, a JSON file that tells of one");
  }
  const policy = options.policy === undefined ? DEFAULT_POLICY : policyOfFile(options.policy);
  const read = loadFacts(options.facts);
  const after = options.event === undefined ? read.facts : factsAfter(options.facts, options.event, read);
  const simulation = simulatePolicy({
    policy,
    facts: after,
    before: options.event === undefined ? null : read.facts,
    answer: (permissions, lookups) => read.people.answer(permissions, lookups),
  });
  return print(after, simulation, policy, options);
}

async function simulateOnGitHub(url: string, options: SimulateOptions, env: NodeJS.ProcessEnv): Promise<ExitCode> {
  if (options.facts !== undefined) throw new UsageError("--pr and --facts: expected one of them");
  if (options.event !== undefined) {
    throw new UsageError("--event: names an event of a --facts file; --pr tells what would happen now");
  }
  const { githubClient, pullAddress } = await import("../github-client.ts");
  const { simulatePull } = await import("./simulate-pull.ts");
  const pull = pullAddress(url, env);
  const client = await githubClient(pull.api, env);
  const place = { owner: pull.owner, name: pull.repo };
  const policy =
    options.policy === undefined
      ? await policyOfRepository(client, place)
      : await policyOfFileWithBases(client, options.policy);
  const { facts, simulation, warnings } = await simulatePull(client, pull, policy);
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  return print(facts, simulation, policy, options);
}

function print(facts: Facts, simulation: Simulation, policy: Policy, options: SimulateOptions): ExitCode {
  const out =
    options.json === true
      ? JSON.stringify(simulationJson(facts, simulation), null, 2)
      : simulationText(facts, simulation, policy);
  process.stdout.write(`${out}\n`);
  return EXIT.success;
}

function policyOfFile(file: string): Policy {
  const { policy, problems, extends: other } = readPolicy(readBounded(file, LARGEST_FILE_BYTES), file);
  const wrong = problems.some((problem) => problem.severity === "error");
  if (!wrong && policy === null) {
    throw new UsageError(
      `${file}: extends ${oneLine(other ?? "another policy")}, which is read from GitHub only together with --pr: give a pull request's address and GITHUB_TOKEN, or a policy without extends`,
    );
  }
  return usable(policy, problems);
}

async function policyOfFileWithBases(client: GitHubClient, file: string): Promise<Policy> {
  const { policyFetcher, readPolicyText } = await import("../../github/policy-files/load-policy.ts");
  const content = readBounded(file, LARGEST_FILE_BYTES);
  const { policy, problems } = await asked(() =>
    readPolicyText(content, file, policyFetcher(client, REQUEST_TIMEOUT_MS)),
  );
  return usable(policy, problems);
}

/** As its default branch has it now. */
async function policyOfRepository(
  client: GitHubClient,
  place: { readonly owner: string; readonly name: string },
): Promise<Policy> {
  const { loadPolicy, policyFetcher } = await import("../../github/policy-files/load-policy.ts");
  const { policy, problems } = await asked(() =>
    loadPolicy(place, policyFetcher(client, REQUEST_TIMEOUT_MS), readPolicy, "who asks"),
  );
  return usable(policy, problems);
}

async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const { requestFailure } = await import("../../github/request-failure.ts");
    const { message } = requestFailure(error, Date.now());
    throw new UsageError(
      `the repository's ${POLICY_PATH} could not be read: ${oneLine(message)}; --policy names a file`,
    );
  }
}

function usable(policy: Policy | null, problems: readonly Problem[]): Policy {
  const lines = problems.map(formatProblem).map(oneLine);
  if (policy === null) throw new UsageError(...lines);
  for (const line of lines) process.stderr.write(`${line}\n`);
  return policy;
}

function loadFacts(file: string): ReadFacts {
  const bytes = readBounded(file, LARGEST_FILE_BYTES);
  if (bytes.length > LARGEST_FILE_BYTES) throw new UsageError(`${file}: expected at most 1 MiB`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new UsageError(`${file}: is not JSON: ${oneLine(error instanceof Error ? error.message : String(error))}`);
  }
  return located(file, () => readFactsFile(json));
}

function factsAfter(file: string, event: string, read: ReadFacts): Facts {
  const after = read.after.get(event);
  if (after === undefined) {
    const names = [...read.after.keys()].map(oneLine);
    throw new UsageError(
      `--event ${oneLine(event)}: ${file} has no such event, expected ${names.length === 0 ? 'one of its "events" (it has none)' : names.join(" | ")}`,
    );
  }
  return located(file, after);
}

function located<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FactsProblem) throw new UsageError(...error.lines.map((line) => `${file}: ${oneLine(line)}`));
    throw error;
  }
}
