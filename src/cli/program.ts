/** The command line: what it takes, and which file carries it out. */
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { NoTemporaryFiles } from "../agent/process/directory.ts";
import type { AdoptCommandOptions } from "./adopt.ts";
import type { ConvertOptions } from "./convert.ts";
import type { DoctorOptions } from "./doctor.ts";
import { EXIT, type ExitCode, UsageError } from "./exit.ts";
import type { OperatorOptions } from "./operator.ts";
import type { ReportOptions } from "./report.ts";
import type { AgentCommandOptions } from "./run/agent.ts";
import type { RunOptions } from "./run/run.ts";
import type { SimulateOptions } from "./simulate/simulate.ts";

/** Processes that one machine is asked for. */
const MOST_AGENTS = 256;

/**
 * Carries out a command line.
 * @param env this process's own environment: what is secret in it is taken out of it
 * @returns the exit code. Never throws what is the user's to put right.
 */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<ExitCode> {
  let code: ExitCode = EXIT.success;
  const program = build(env, (result) => {
    code = result;
  });
  try {
    await program.parseAsync([...argv]);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.success : EXIT.usage;
    if (error instanceof UsageError) {
      for (const line of error.lines) process.stderr.write(`${line}\n`);
      return EXIT.usage;
    }
    if (error instanceof NoTemporaryFiles) {
      process.stderr.write(`${error.message}\n`);
      return EXIT.usage;
    }
    throw error;
  }
}

function build(env: NodeJS.ProcessEnv, end: (code: ExitCode) => void): Command {
  const program = new Command("stagewright")
    .description("Runs plans of staged work, checks plans and policies, and says what a policy would do.")
    // Carried out before all this is loaded; here for the help.
    .option("-V, --version", "print the version")
    .exitOverride()
    // Else a value of a subcommand's option that begins with -V (a run's id may) is taken for --version.
    .enablePositionalOptions()
    .showHelpAfterError("(--help says more)")
    .showSuggestionAfterError();

  program
    .command("run")
    .argument("<plan>", "a plan file")
    .description("run a plan on this machine; the result as JSON on stdout, the log on stderr")
    .option("--param <name=value>", "set a parameter of the plan (repeatable)", param)
    .option("--only-stage <stage>", "run only this stage, by name or by number from 0 (repeatable)", list)
    .option("--stop-after-stage <stage>", "stop after this stage", once)
    .option("--skip-stages <stages>", "leave these stages out (comma separated, repeatable)", list)
    .option("--only-phase <stage>", "older spelling of --only-stage", list)
    .option("--stop-after-phase <stage>", "older spelling of --stop-after-stage", once)
    .option("--skip-phases <stages>", "older spelling of --skip-stages", list)
    .option("--save-state <file>", "save the run's state in this file after each stage", once)
    .option("--load-state <file>", "go on from a saved state: finished stages are not run again", once)
    .option("--resume-session", "save the run's state, and go on from it where there is one")
    .option("--save-phase-state <file>", "older spelling of --save-state", once)
    .option("--load-phase-state <file>", "older spelling of --load-state", once)
    .option("-f, --input-file <file>", "input of the run, JSON or YAML, for its commands (- is standard input)", once)
    .option("--enable-context", "of stages that gather context and quorums run only those that are enabled")
    .option("--enable-quorum", "the same for quorum stages; with neither of the two all run")
    .option("-o, --output-file <file>", "write the JSON result into this file, too", once)
    .option(
      "--collect-to <folder>",
      "where the files go that stages keep (default: stagewright-collected/<plan and time>)",
      once,
    )
    .option(
      "--agents <count>",
      "start so many agents on this machine, each a process (default: as the plan says)",
      agents,
    )
    .option("--agent-name <name>", "this agent's name; of several, what their names begin with", once)
    .option("-i, --interactive", "ask before and after each stage: go on, retry, edit its tasks, skip it, quit")
    .option("--dry-run", "say what would run, and run nothing")
    .action(async (plan: string, options: RunOptions) => {
      const { run: carryOut } = await import("./run/run.ts");
      end(await carryOut(plan, options, env));
    });

  program
    .command("validate")
    .argument("<file...>", "plan and policy files")
    .description("say everything that is wrong with plan and policy files")
    .option("--param <name=value>", "set a parameter of the plans (repeatable)", param)
    .option("--policy", "take all of them for policies (default: by their place and their keys)")
    .action(async (files: string[], options: { param?: Record<string, string>; policy?: boolean }) => {
      const { validate } = await import("./validate.ts");
      end(validate(files, options.param ?? {}, options.policy === true));
    });

  program
    .command("convert")
    .argument("<file>", "a sai3-bench configuration")
    .description("make a plan of a sai3-bench configuration, on stdout; what became of each of its keys, on stderr")
    .option("-o, --output-file <file>", "write the plan into this file instead", once)
    .action(async (file: string, options: ConvertOptions) => {
      const { convert } = await import("./convert.ts");
      end(convert(file, options));
    });

  program
    .command("report")
    .argument("<result...>", "files that `run` or the action wrote")
    .description("show results that were written down, several of them side by side")
    .option("--format <format>", "summary (default) | html | json | bencher | github-action-benchmark", once)
    .option("--better <direction>", "for github-action-benchmark: bigger | smaller", once)
    .option("-o, --output-file <file>", "write into this file instead of to stdout", once)
    .action(async (files: string[], options: ReportOptions) => {
      const { report } = await import("./report.ts");
      end(report(files, options));
    });

  program
    .command("simulate")
    .description("say what would happen to a pull request under a policy, and why; changes nothing")
    .option("--policy <file>", "a policy file (default: the repository's own with --pr, else the three stages)", once)
    .option("--facts <file>", "a JSON file that tells of the pull request", once)
    .option("--event <name>", "one of the file's events: what would happen then", once)
    .option("--json", "as JSON")
    .option("--pr <url>", "a pull request on GitHub, as it is now; needs GITHUB_TOKEN", once)
    .action(async (options: SimulateOptions) => {
      const { simulate } = await import("./simulate/simulate.ts");
      end(await simulate(options, env));
    });

  program
    .command("doctor")
    .argument("[plan]", "a plan file: its checks are made, nothing of it is run")
    .description("say what this machine and a repository's set-up lack, each with what to do about it")
    .option("--param <name=value>", "set a parameter of the plan (repeatable)", param)
    .option(
      "--repository <owner/name>",
      "look at this repository, too (default: GITHUB_REPOSITORY); needs GITHUB_TOKEN",
      once,
    )
    .option("--labels <labels>", "of the runners that take the group's jobs (comma separated, repeatable)", list)
    .option("--json", "as JSON")
    .action(async (plan: string | undefined, options: DoctorOptions) => {
      const { doctor } = await import("./doctor.ts");
      end(await doctor(plan, options, env));
    });

  program
    .command("adopt")
    .argument("<repository>", "OWNER/NAME")
    .description("have the app take up pull requests that were open before it was installed; needs GITHUB_TOKEN")
    .requiredOption("--app <url>", "the app's address", once)
    .option("--dry-run", "say what would be taken up, and take up nothing")
    .option("--json", "as JSON")
    .action(async (repository: string, options: AdoptCommandOptions) => {
      const { adopt } = await import("./adopt.ts");
      end(await adopt(repository, options, env));
    });

  for (const [name, usage, what] of [
    ["db", "backup FILE, restore FILE, check [FILE]", "copy, restore or check the app's database, where the app runs"],
    [
      "sandbox",
      "--seed FILE, --port N, --runners N, …",
      "start a local stand-in for GitHub and its runners, in a checkout",
    ],
  ] as const) {
    program
      .command(name)
      .argument("[words...]", usage)
      .description(`${what} (stagewright ${name} --help)`)
      .helpOption(false)
      .allowUnknownOption()
      .action(async (words: string[]) => {
        const programs = await import("./own-program.ts");
        end(await programs[name](words, env));
      });
  }

  for (const [name, what, of] of [
    ["inbox", "inbox", "webhooks that the app could not handle"],
    ["effects", "effects", "what the app gave up to do on GitHub"],
  ] as const) {
    program
      .command(name)
      .argument("<what>", "list | retry")
      .argument("[ids...]", "those that are tried again")
      .description(`${of}: listed, or tried again; on the app's own machine`)
      .option("--app <url>", "the app's address (default: http://localhost and PORT, or 3000)", once)
      .option("--all", "with retry: all that there are now")
      .option("--limit <number>", "with list: how many at most (default: 1000)", limit)
      .option("--json", "as JSON")
      .action(async (words: string, ids: string[], options: OperatorOptions) => {
        const operator = await import("./operator.ts");
        end(await operator[what](words, ids, options, env));
      });
  }

  program
    .command("schema")
    .argument("<what>", "plan | policy | result")
    .description("print the JSON Schema of plan or policy files, or of results")
    .action(async (what: string) => {
      process.stdout.write(`${JSON.stringify(await schemaOf(what), null, 2)}\n`);
    });

  program
    .command("emit")
    .argument("<key=value...>", "outputs")
    .description("tell outputs of the running stage (in a command of a plan)");

  program
    .command("agent")
    .description("join a run as one agent; its secret in STAGEWRIGHT_COORDINATOR_SECRET")
    .requiredOption("--coordinator <url>", "the coordinator's address", once)
    .requiredOption("--run <key>", "the run to join", once)
    .requiredOption("--agent-name <name>", "this agent's name", once)
    .option("--agent-index <number>", "its number in the group, from 0", index)
    .option("--role <role>", "its role", once)
    .option("--address <host>", "where other agents reach it", once)
    .option("--collect-to <folder>", "where the files go that stages keep (default: stagewright-collected/<run>)", once)
    .action(async (options: AgentCommandOptions) => {
      const { agent } = await import("./run/agent.ts");
      end(await agent(options, env));
    });

  return program;
}

async function schemaOf(what: string): Promise<unknown> {
  switch (what) {
    case "plan":
      return (await import("../plan/json-schema.ts")).planJsonSchema();
    case "policy":
      return (await import("../lifecycle/policy/reference.ts")).policyJsonSchema();
    case "result":
      return (await import("../report/record/result-schema.ts")).resultJsonSchema();
    default:
      throw new UsageError(`schema ${what}: expected "plan", "policy" or "result"`);
  }
}

function param(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Expected name=value.");
  const name = text.slice(0, at);
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`"${name}" is given twice.`);
  return Object.fromEntries([...Object.entries(before), [name, text.slice(at + 1)]]);
}

function agents(text: string): number {
  const count = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || count < 1 || count > MOST_AGENTS) {
    throw new InvalidArgumentError(`Expected a number from 1 to ${MOST_AGENTS}.`);
  }
  return count;
}

function limit(text: string): number {
  if (!/^[1-9][0-9]{0,6}$/.test(text)) throw new InvalidArgumentError("Expected a number from 1 to 9999999.");
  return Number(text);
}

function index(text: string): number {
  if (!/^[0-9]{1,5}$/.test(text)) throw new InvalidArgumentError("Expected a number from 0.");
  return Number(text);
}

function list(text: string, before: readonly string[] | undefined): string[] {
  const words = text.split(",").map((word) => word.trim());
  if (words.includes("")) throw new InvalidArgumentError("Expected names or numbers of stages.");
  return [...(before ?? []), ...words];
}

function once(text: string, before: string | undefined): string {
  if (before !== undefined) throw new InvalidArgumentError("It is given twice.");
  if (text === "") throw new InvalidArgumentError("It is empty.");
  return text;
}
