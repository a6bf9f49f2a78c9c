/** `stagewright doctor [PLAN]`: what this machine, the plan's checks and the repository's set-up lack. Runs nothing of the plan. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finding } from "../agent/machine/check.ts";
import { checkText, findingsOf, findingText } from "../agent/machine/checks.ts";
import { isWithheld } from "../agent/process/environment.ts";
import { Processes } from "../agent/process/process.ts";
import { whyUnseen } from "../agent/process/process-groups.ts";
import type { SetUpInspection } from "../github/set-up.ts";
import type { Plan, PlanStage, PreflightCheck } from "../plan/plan.ts";
import { platformRefusal } from "../platform.ts";
import { oneLine } from "../report/escape.ts";
import { EXIT, type ExitCode, UsageError } from "./exit.ts";
import { loadPlan } from "./files.ts";
import { apiAddress, githubClient } from "./github-client.ts";

export interface DoctorOptions {
  readonly param?: Readonly<Record<string, string>>;
  /** OWNER/NAME; default: GITHUB_REPOSITORY. */
  readonly repository?: string;
  /** Of the runners that take the group's jobs. */
  readonly labels?: readonly string[];
  readonly json?: boolean;
}

interface Section {
  readonly title: string;
  readonly notes: readonly string[];
  readonly findings: readonly Finding[];
}

/** @returns 1 when something is lacking. @throws UsageError for a plan or a name that cannot be right */
export async function doctor(
  file: string | undefined,
  options: DoctorOptions,
  env: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  const warnings: string[] = [];
  const plan = file === undefined ? null : loadPlan(file, options.param ?? {}, (line) => warnings.push(line)).plan;
  const processes = new Processes((text) => warnings.push(text));
  const sections: Section[] = [];
  try {
    sections.push({ title: "this machine", ...(await lookAtMachine(env, processes)) });
    if (plan !== null) sections.push({ title: `plan ${plan.name}`, ...(await lookAtPlan(plan, env, processes)) });
  } finally {
    await processes.endAll();
  }
  const repository = options.repository ?? env.GITHUB_REPOSITORY;
  if (repository !== undefined && repository !== "") {
    const look = await lookAtRepository(repository, plan, options, env);
    sections.push({ title: `repository ${repository}`, ...look });
  }
  for (const line of warnings) process.stderr.write(`${oneLine(line)}\n`);
  tell(sections, options.json === true);
  return sections.some(({ findings }) => findings.length > 0) ? EXIT.failure : EXIT.success;
}

async function lookAtMachine(env: NodeJS.ProcessEnv, processes: Processes): Promise<Omit<Section, "title">> {
  const notes = [`Node ${process.versions.node} on ${process.platform}`];
  const findings: Finding[] = [];
  const refusal = platformRefusal(process.platform);
  if (refusal !== null) {
    findings.push({ category: "system", what: "platform", message: refusal, remedy: "run plans on Linux" });
  }
  const hidden = whyUnseen();
  if (hidden !== null) {
    const remedy = "mount /proc without hidepid: what commands leave behind is not found without it";
    findings.push({ category: "system", what: "processes", message: hidden, remedy });
  }
  const temporary = env.RUNNER_TEMP ?? tmpdir();
  try {
    rmSync(mkdtempSync(join(temporary, "stagewright-")), { recursive: true });
    notes.push(`temporary files: ${temporary}`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const remedy = "free space there, or set TMPDIR (in a job: RUNNER_TEMP)";
    findings.push({ category: "permission", what: `temporary files in ${temporary}`, message, remedy });
  }
  const context = contextOf(commandEnv(null, null, env), processes);
  const shell = await findingsOf([{ kind: "tool", name: "bash", version: null }], context);
  return { notes, findings: [...findings, ...shell] };
}

async function lookAtPlan(plan: Plan, env: NodeJS.ProcessEnv, processes: Processes): Promise<Omit<Section, "title">> {
  const notes: string[] = [];
  const findings: Finding[] = [];
  for (const stage of plan.stages) {
    const checks = [...programOf(stage), ...(stage.checks ?? [])];
    if (checks.length === 0) continue;
    const context = contextOf(commandEnv(plan, stage, env), processes, stage.workingDirectory);
    const found = await findingsOf(checks, context);
    findings.push(...found.map((finding) => ({ ...finding, what: `${stage.name}: ${finding.what}` })));
    const lacking = new Set(found.map(({ what }) => what));
    const fine = checks.map(checkText).filter((text) => !lacking.has(text));
    if (fine.length > 0) notes.push(`${stage.name}: ${fine.join(", ")}`);
  }
  if (notes.length === 0 && findings.length === 0) notes.push("it has no checks");
  return { notes, findings };
}

/** A program that a stage starts without a shell has to be there; what a script calls cannot be told. */
function programOf({ command }: PlanStage): readonly PreflightCheck[] {
  return command?.kind === "program" ? [{ kind: "tool", name: command.file, version: null }] : [];
}

function commandEnv(plan: Plan | null, stage: PlanStage | null, env: NodeJS.ProcessEnv): Record<string, string> {
  const inherited = Object.entries(env).flatMap(([name, value]) =>
    value === undefined || isWithheld(name) ? [] : [[name, value] as const],
  );
  const params = Object.entries(plan?.params ?? {}).map(
    ([name, value]) => [`STAGEWRIGHT_PARAM_${name.toUpperCase()}`, String(value)] as const,
  );
  return { ...Object.fromEntries(inherited), ...plan?.env, ...stage?.env, ...Object.fromEntries(params) };
}

function contextOf(env: Record<string, string>, processes: Processes, workingDirectory: string | null = null) {
  const { signal } = new AbortController();
  return { env, processes, workingDirectory: workingDirectory ?? process.cwd(), clockOffsetMs: null, signal };
}

async function lookAtRepository(
  repository: string,
  plan: Plan | null,
  { labels = [] }: DoctorOptions,
  env: NodeJS.ProcessEnv,
): Promise<Omit<Section, "title">> {
  const [owner = "", name = "", more] = repository.split("/");
  if (more !== undefined || !/^[A-Za-z0-9_.-]{1,100}$/.test(owner) || !/^[A-Za-z0-9_.-]{1,100}$/.test(name)) {
    throw new UsageError(`${oneLine(repository)}: expected a repository as OWNER/NAME`);
  }
  const client = await githubClient(apiAddress(env), env);
  const { inspectSetUp } = await import("../github/set-up.ts");
  const found = await inspectSetUp(client, { owner, name }, { agents: plan?.agentCount ?? null, labels });
  return { notes: found.notes, findings: [...found.findings, ...clockFinding(found)] };
}

/** A token of a group's leader is not valid on a machine whose clock is minutes off. */
const MOST_CLOCK_OFFSET_MS = 30_000;

function clockFinding({ clockOffsetMs }: SetUpInspection): readonly Finding[] {
  if (clockOffsetMs === null || Math.abs(clockOffsetMs) <= MOST_CLOCK_OFFSET_MS) return [];
  const message = `it is ${Math.round(Math.abs(clockOffsetMs) / 1000)} s ${clockOffsetMs > 0 ? "behind" : "ahead of"} GitHub's`;
  return [{ category: "system", what: "clock", message, remedy: "set it by NTP (timedatectl set-ntp true)" }];
}

function tell(sections: readonly Section[], json: boolean): void {
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ success: sections.every(({ findings }) => findings.length === 0), sections }, null, 2)}\n`,
    );
    return;
  }
  const lines = sections.flatMap(({ title, notes, findings }) => [
    `${oneLine(title)}`,
    ...notes.map((note) => `  ✓ ${oneLine(note)}`),
    ...findings.map((finding) => `  ✗ ${oneLine(findingText(finding))}`),
  ]);
  const count = sections.reduce((sum, { findings }) => sum + findings.length, 0);
  lines.push(count === 0 ? "nothing is lacking" : `${count} thing${count === 1 ? " is" : "s are"} lacking`);
  process.stdout.write(`${lines.join("\n")}\n`);
}
