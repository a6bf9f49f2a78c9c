/** What an agent tells of the machine that it runs on, once, when it joins: a result is only worth as much as that. */
export interface MachineFacts {
  /** Processors that it may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  /** The processor's model, as the system names it; empty: it does not say. */
  readonly cpu: string;
  /** "linux" */
  readonly os: string;
  /** Its release. */
  readonly kernel: string;
  /** "x64" */
  readonly arch: string;
  /** The name of the runner; null: it is no job. */
  readonly runner: string | null;
  /** By which it is known again in a later run; not there: it is another one each time. */
  readonly host?: string | undefined;
}
