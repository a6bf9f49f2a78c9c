/**
 * Signing by another program (`SIGN_COMMAND`): of a key store, an HSM or a cloud's key service, which has the private key.
 * It is started without a shell, gets the token's signing input on stdin, and prints the signature.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Logger } from "pino";
import { z } from "zod";
import { oneLine } from "../../src/report/escape.ts";
import type { Signer } from "./app-token.ts";

/** Closed list: what may be wrong with it. */
export type SigningProblem = "not_started" | "timed_out" | "failed" | "too_much" | "no_signature";

/** The message says what to look at, and nothing that the command has said: it is shown to everybody. */
export class SigningFailed extends Error {
  override readonly name = "SigningFailed";
  readonly problem: SigningProblem;

  constructor(problem: SigningProblem, why: string) {
    super(`SIGN_COMMAND ${why}`);
    this.problem = problem;
  }
}

export interface SignCommandOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** What the command sees. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: () => Pick<Logger, "error" | "info">;
  /** Milliseconds. */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 10_000;
/** A signature in base64 has less than 2 KB. */
const MOST_BYTES = 8 * 1024;
const MOST_SAID = 500;
/** Of RSA keys of 2,048 to 8,192 bits. */
const SIZES = { least: 256, most: 1_024 };
/** Of the app itself: the command needs none of them. */
const OURS = ["WEBHOOK_SECRET", "PRIVATE_KEY", "DATABASE_URL", "METRICS_TOKEN"];

const words = z.tuple([z.string().min(1)], z.string());

/** `["program", "argument", …]` as JSON, or the path of a program alone. Undefined: neither. */
export function readSignCommand(text: string): readonly [string, ...string[]] | undefined {
  if (!text.startsWith("[")) {
    return /[\s"']/u.test(text) ? undefined : [text];
  }
  try {
    return words.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function commandSigner({ command, env, log, deadlineMs = DEADLINE_MS }: SignCommandOptions): Signer {
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !OURS.includes(name)));
  let said: string | null = null;
  return async (input) => {
    try {
      const signature = await ask(command, own, input, deadlineMs);
      if (said !== null) {
        log().info("SIGN_COMMAND signs again");
      }
      said = null;
      return signature;
    } catch (error) {
      if (error instanceof SigningFailed && error.message !== said) {
        // What it has said may help its operator; it goes to the log alone.
        log().error({ problem: error.problem, said: error.cause ?? null }, error.message);
        said = error.message;
      }
      throw error;
    }
  };
}

function ask(
  [program, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
  input: string,
  deadlineMs: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"], detached: true });
    const printed: Buffer[] = [];
    let size = 0;
    let complaint = "";
    let ended = false;
    const end = (problem: SigningProblem, why: string): void => {
      if (ended) {
        return;
      }
      ended = true;
      clearTimeout(timer);
      endGroup(child);
      const failure = new SigningFailed(problem, why);
      failure.cause = complaint === "" ? undefined : oneLine(complaint).slice(0, MOST_SAID);
      reject(failure);
    };
    const timer = setTimeout(
      () => end("timed_out", `took longer than ${deadlineMs / 1_000} s and was ended`),
      deadlineMs,
    );
    child.once("error", (error: NodeJS.ErrnoException) =>
      end("not_started", `could not be started (${error.code ?? "unknown error"})`),
    );
    // It need not read what it is told: how it ends says more.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MOST_BYTES) {
        end("too_much", `printed more than ${MOST_BYTES} bytes`);
        return;
      }
      printed.push(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(0, MOST_SAID);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code !== 0) {
        end("failed", signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`);
        return;
      }
      const signature = signatureIn(Buffer.concat(printed));
      if (signature === null) {
        end("no_signature", `printed no RSA signature (${size} bytes), expected it as base64, base64url or bytes`);
        return;
      }
      resolve(signature);
    });
  });
}

/** As text in base64 or base64url, or as it is. 256 random bytes are never all letters and digits. */
function signatureIn(printed: Buffer): Buffer | null {
  const text = printed.toString("latin1").trim();
  const signature = /^[A-Za-z0-9+/_=\s-]+$/u.test(text) ? Buffer.from(text, "base64") : printed;
  return signature.length >= SIZES.least && signature.length <= SIZES.most ? signature : null;
}

/** With what it has started itself. */
function endGroup(child: ChildProcess): void {
  if (child.pid !== undefined) {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}
