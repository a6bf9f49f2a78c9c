/**
 * Every input and output of the action, once. `action.yml` says the same (a test holds the two together), the inputs
 * are read by this list, and the documentation's tables are made from it.
 */

export interface InputSpec {
  readonly description: string;
  readonly required: boolean;
  /** As in action.yml: GitHub fills expressions in. A missing input behaves like its default. */
  readonly default: string;
}

export const INPUTS = {
  plan: {
    description: "The plan file, relative to the workspace.",
    required: true,
    default: "",
  },
  params: {
    description: "Values for the plan's params: lines of name=value.",
    required: false,
    default: "",
  },
  "only-stage": {
    description: "Run only these stages: names or numbers (counted from 0), separated by commas.",
    required: false,
    default: "",
  },
  "stop-after-stage": {
    description: "Stop after this stage: a name or a number (counted from 0).",
    required: false,
    default: "",
  },
  "skip-stages": {
    description: "Leave out these stages: names or numbers (counted from 0), separated by commas.",
    required: false,
    default: "",
  },
  resume: {
    description:
      "On a re-run: go on from the state in which the attempt before ended, and run finished stages not again. true or false.",
    required: false,
    default: "false",
  },
  "state-file": {
    description:
      "A file that the run's state is kept in after each stage, relative to the workspace; with resume the run goes on from it, where it is there. Default: the app or GitHub's cache keeps it.",
    required: false,
    default: "",
  },
  "agent-name": {
    description: "This agent's name. Default: the job's id and its index in the matrix, such as train-0.",
    required: false,
    default: "",
  },
  "agent-index": {
    description: "This agent's number in its group, from 0.",
    required: false,
    default: "${{ strategy.job-index }}",
  },
  "agent-count": {
    description:
      "How many agents make the group. Default: the size of the matrix, unless the plan says it. 1 runs the plan on its own in each job.",
    required: false,
    default: "${{ strategy.job-total }}",
  },
  coordinator: {
    description:
      "Where the agents of a group meet: leader (the first agent coordinates; the default of a group), or the address of a Stagewright app. Empty for one agent alone.",
    required: false,
    default: "",
  },
  group: {
    description: "The group's name: jobs of one workflow run that say the same meet in it. Default: the job's id.",
    required: false,
    default: "",
  },
  role: {
    description: "This agent's role, of those that the plan names.",
    required: false,
    default: "",
  },
  listen: {
    description: "Where a leader listens: host:port. Default: all of the machine's addresses, at any free port.",
    required: false,
    default: "",
  },
  advertise: {
    description:
      "Where other agents reach this machine: a host, or a leader's host:port. Default: the machine's first address in a network.",
    required: false,
    default: "",
  },
  "fail-fast": {
    description: "As the job's own matrix has it: a group warns when GitHub would cancel all agents with one.",
    required: false,
    default: "${{ strategy.fail-fast }}",
  },
  "max-parallel": {
    description: "As the job's own matrix has it: a group that could never be complete is refused at once.",
    required: false,
    default: "${{ strategy.max-parallel }}",
  },
  report: {
    description:
      "Where the result is shown beside the job summary: check (a check run), commands (annotations of this step), or auto (a check run if the token may write one, else commands).",
    required: false,
    default: "auto",
  },
  "report-output": {
    description:
      "What of the commands' output is told beyond the log: tail (the last lines, and what they print as annotations) or none.",
    required: false,
    default: "tail",
  },
  secrets: {
    description:
      "Names of environment variables whose values are masked in all that is logged and reported, in every spelling: separated by commas or lines.",
    required: false,
    default: "",
  },
  "github-token": {
    description: "Writes the check run; needs checks: write for that.",
    required: false,
    default: "${{ github.token }}",
  },
} as const satisfies Readonly<Record<string, InputSpec>>;

export type InputName = keyof typeof INPUTS;

export const OUTPUTS = {
  result: { description: "success, failure, cancelled, or excluded (this agent was left out of the group's run)." },
  message: { description: "One sentence: what came of it, and why." },
  "failed-stage": { description: "The name of the stage that failed, if one did." },
  "results-file": { description: "Path of a JSON file with the result of every stage." },
  "state-file": {
    description:
      "Path of a JSON file with the run's state, where this step keeps one (resume, state-file; not in followers).",
  },
  collected: {
    description: "Path of the folder with the files that stages keep (collect); empty: there are none.",
  },
  "check-run-url": { description: "Address of the check run, if one was written." },
} as const satisfies Readonly<Record<string, { readonly description: string }>>;

/** The environment variable in which the runner passes an input. */
export function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`;
}
