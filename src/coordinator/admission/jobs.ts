/**
 * Which jobs of a workflow run may be of one group, as far as GitHub vouches for it. A token names repository, run and
 * attempt, the check run of its job, and the workflow file that defines the job; it does not name the job's place in a
 * matrix. The rest follows from what the job is called, where that can be read.
 */
import type { RunKey } from "../../run/types.ts";
import { Refusal } from "../protocol/refusal.ts";
import { checkClaims, type JobClaims } from "./admission.ts";

export interface GroupJobsOptions {
  readonly key: RunKey;
  /** What this job's own token says. Asked until it is known. */
  readonly own: () => Promise<JobClaims>;
  /** The id of the one job whose matrix is the group; null: jobs of several kinds meet in it. */
  readonly onlyJob: string | null;
  /** What GitHub calls the job of a check run; null where it cannot be asked. */
  readonly nameOf: ((checkRunId: string, signal: AbortSignal) => Promise<string>) | null;
}

export class GroupJobs {
  readonly #options: GroupJobsOptions;
  readonly #names = new Map<string, Promise<string>>();
  #own: Promise<JobClaims> | null = null;

  constructor(options: GroupJobsOptions) {
    this.#options = options;
  }

  /** What this job's own token says. @throws why there is none */
  own(): Promise<JobClaims> {
    const asked = this.#own ?? this.#options.own();
    this.#own = asked;
    asked.catch(() => {
      this.#own = null;
    });
    return asked;
  }

  /**
   * Refuses a job that cannot be of this job's group.
   * @throws Refusal with both named; Error when GitHub could not be asked
   */
  async check(other: JobClaims, signal: AbortSignal): Promise<void> {
    checkClaims(other, this.#options.key);
    const own = await this.own();
    checkIsAnother(other, own);
    this.#checkFile(other, own);
    if (other.checkRunId !== null && own.checkRunId !== null) {
      await this.#checkName(other.checkRunId, own.checkRunId, signal);
    }
  }

  /** The jobs of one matrix are defined in one file; jobs of several kinds at least by one repository. */
  #checkFile({ jobWorkflowRef: theirs }: JobClaims, { jobWorkflowRef: ours }: JobClaims): void {
    const isOne = this.#options.onlyJob === null ? repositoryIn(theirs) === repositoryIn(ours) : theirs === ours;
    if (isOne) return;
    throw new Refusal(
      "wrong_run",
      `the token is of a job that ${theirs ?? "no workflow file"} defines, this job is defined by ${ours ?? "none"}: they are not of one group`,
    );
  }

  /** Where GitHub named this job after its matrix, it named all jobs of that matrix alike. */
  async #checkName(theirs: string, ours: string, signal: AbortSignal): Promise<void> {
    const { onlyJob, nameOf } = this.#options;
    if (onlyJob === null || nameOf === null) return;
    const stem = matrixStem(await this.#name(ours, nameOf, signal), onlyJob);
    if (stem === null) return;
    const name = await this.#name(theirs, nameOf, signal);
    // Not to its end: what is too long may have been cut.
    if (name.startsWith(`${stem} (`)) return;
    throw new Refusal(
      "wrong_run",
      `the token is of the job ${JSON.stringify(name.slice(0, 200))}, which is not of the matrix ${JSON.stringify(stem)}; jobs of several kinds meet when they name one \`group\``,
    );
  }

  #name(id: string, ask: NonNullable<GroupJobsOptions["nameOf"]>, signal: AbortSignal): Promise<string> {
    const name = this.#names.get(id) ?? ask(id, signal);
    this.#names.set(id, name);
    name.catch(() => this.#names.delete(id));
    return name;
  }
}

/** One job is one agent: it neither leads itself nor joins itself. */
function checkIsAnother({ checkRunId: theirs }: JobClaims, { checkRunId: ours }: JobClaims): void {
  if (ours === null && theirs === null) return;
  if (theirs === null) throw new Refusal("unauthorized", "the token does not say which job it is of");
  if (theirs === ours) throw new Refusal("held", "the token is this very job's: one job is one agent");
}

function repositoryIn(workflowRef: string | null): string | null {
  return workflowRef?.split("/").slice(0, 2).join("/") ?? null;
}

/**
 * "caller / train (0, fast)" -> "caller / train": what GitHub calls the jobs of the matrix of job `train`; null for a
 * job with a name of its own, of which nothing can be told.
 */
export function matrixStem(name: string, job: string): string | null {
  const mark = `${job} (`;
  if (!name.endsWith(")")) return null;
  // Callers of reusable workflows stand before the job, each followed by " / ".
  for (let at = name.lastIndexOf(mark); at >= 0; at = at === 0 ? -1 : name.lastIndexOf(mark, at - 1)) {
    if (at === 0 || name.slice(0, at).endsWith(" / ")) return name.slice(0, at + job.length);
  }
  return null;
}
