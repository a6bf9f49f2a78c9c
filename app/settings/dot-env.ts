/** The file `.env` in the working directory: settings that the environment does not have. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseEnv } from "node:util";
import { writePrivateFile } from "../../src/private-file.ts";
import { ConfigError } from "../config.ts";

/** @throws ConfigError when it is there and cannot be read */
export function readDotEnv(file: string): Record<string, string | undefined> {
  return parseEnv(textOf(file));
}

/** Adds settings to the end of the file, where they count before those above. For this user alone. @throws ConfigError */
export function addToDotEnv(file: string, settings: Readonly<Record<string, string>>): void {
  const known = textOf(file).trimEnd();
  const added = Object.entries(settings).map(([name, value]) => `${name}="${value.replaceAll("\n", "\\n")}"`);
  try {
    writePrivateFile(file, `${[...(known === "" ? [] : [known]), ...added].join("\n")}\n`);
  } catch (error) {
    throw unusable(file, "written", error);
  }
}

/** @throws ConfigError when settings could not be added */
export function checkDotEnv(file: string): void {
  try {
    accessSync(existsSync(file) ? file : dirname(file), constants.W_OK);
  } catch (error) {
    throw unusable(file, "written", error);
  }
}

/** Empty: there is no such file. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return "";
    }
    throw unusable(file, "read", error);
  }
}

function unusable(file: string, what: "read" | "written", error: unknown): ConfigError {
  const why = error instanceof Error ? error.message : String(error);
  return new ConfigError(`The settings in ${file} cannot be ${what}: ${why}.`, { cause: error });
}
