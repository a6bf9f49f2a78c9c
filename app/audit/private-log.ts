/**
 * What the log does not tell. Errors of GitHub's clients carry the whole request and its answer, and Probot writes each
 * request's body at level `debug`: comments, titles and files of private repositories. Logs go to more places than
 * these may, at every level.
 */
import { type Logger, pino } from "pino";
import { z } from "zod";

/** Of an error, besides its kind, its message and its stack. */
const told = z.object({
  code: z.union([z.string(), z.number()]).optional().catch(undefined),
  status: z.number().optional().catch(undefined),
});

/** What is told of an error; causes stand in message and stack. */
export function errorTold(error: unknown): unknown {
  if (!(error instanceof Error)) {
    return error;
  }
  const { type, message, stack } = pino.stdSerializers.err(error);
  const { errors } = error as { readonly errors?: unknown };
  return {
    type,
    message,
    stack,
    ...told.parse(error),
    ...(Array.isArray(errors) ? { errors: errors.filter((each) => each instanceof Error).map(errorTold) } : {}),
  };
}

/** From now on this log, and whatever was made of it, tells of errors no more than that. */
export function boundErrors<T extends Logger>(log: T): T {
  const serializers: unknown = Reflect.get(log, pino.symbols.serializersSym);
  if (typeof serializers !== "object" || serializers === null) {
    throw new Error("This version of pino keeps its serializers elsewhere: what errors tell could not be bounded.");
  }
  Object.assign(serializers, { err: errorTold, error: errorTold });
  return log;
}

type Tell = (message: string) => void;
/** What Octokit writes to. */
export type ClientLog = Readonly<Record<"debug" | "info" | "warn" | "error", (...said: never[]) => void>>;

/** A log for GitHub's clients that takes messages alone: what they give besides is the body of the request. */
export function messagesOnly(log: ClientLog): ClientLog {
  const only =
    (level: keyof ClientLog) =>
    (...said: readonly unknown[]): void => {
      const message = said.find((each) => typeof each === "string");
      (log[level] as Tell).call(log, message ?? "GitHub's client told something that is no message");
    };
  return { debug: only("debug"), info: only("info"), warn: only("warn"), error: only("error") };
}
