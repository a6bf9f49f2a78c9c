/** What the app signs with: its private key, from the environment or a file that may change, or a command. */
import { createPrivateKey } from "node:crypto";
import { getPrivateKey } from "@probot/get-private-key";
import type { Logger } from "pino";
import { ConfigError, type Settings } from "../config.ts";
import { AppTokens, keySigner } from "../github-cache/app-token.ts";
import { commandSigner } from "../github-cache/sign-command.ts";
import { WatchedFile } from "./watched-file.ts";

export interface AppKey {
  readonly tokens: AppTokens;
  /** Null: it does not change while the app runs. */
  readonly file: WatchedFile<string> | null;
}

/**
 * A key that GitHub could not know is told now, not at the first webhook. `log`: what the command's failures go to.
 * @throws ConfigError
 */
export function appKey(
  env: Readonly<Record<string, string | undefined>>,
  { SIGN_COMMAND }: Pick<Settings, "SIGN_COMMAND">,
  log: () => Pick<Logger, "error" | "info">,
): AppKey {
  const path = env.PRIVATE_KEY_PATH ?? "";
  const [fromText, fromFile] = [!empty(env.PRIVATE_KEY), !empty(path)];
  if (SIGN_COMMAND !== undefined) {
    if (fromText || fromFile) {
      throw new ConfigError("SIGN_COMMAND and a private key are both set: leave one of them out.");
    }
    return { tokens: new AppTokens(commandSigner({ command: SIGN_COMMAND, env, log })), file: null };
  }
  if (fromText || !fromFile) {
    const key = keyOfEnvironment(env);
    return { tokens: new AppTokens(keySigner(() => key)), file: null };
  }
  try {
    const file = new WatchedFile({ name: "PRIVATE_KEY_PATH", path, read: rsaKey });
    return { tokens: new AppTokens(keySigner(() => file.current)), file };
  } catch (error) {
    throw new ConfigError(`PRIVATE_KEY_PATH is ${path}: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  }
}

/** In PEM form, found where Probot looks for it. @throws ConfigError */
function keyOfEnvironment(env: Readonly<Record<string, string | undefined>>): string {
  try {
    return rsaKey(getPrivateKey({ env }) ?? "");
  } catch (error) {
    const remedy = "set it (or PRIVATE_KEY_PATH, or SIGN_COMMAND) to the app's private key, RSA in PEM form";
    throw new ConfigError(`PRIVATE_KEY is missing or not a key: ${remedy}.`, { cause: error });
  }
}

/** @throws an Error that does not repeat the text */
function rsaKey(text: string): string {
  let type: string | undefined;
  try {
    type = createPrivateKey(text).asymmetricKeyType;
  } catch (error) {
    throw new Error("this file holds no private RSA key in PEM form", { cause: error });
  }
  if (type !== "rsa") {
    throw new Error(`this file holds a private key of the kind ${type}; expected RSA in PEM form`);
  }
  return text;
}

function empty(value: string | undefined): boolean {
  return value === undefined || value.trim() === "";
}
