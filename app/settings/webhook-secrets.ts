/** The secrets that webhooks may be signed with: two while one takes the other's place, from the environment or a file. */
import { weakness } from "./secrets.ts";
import { WatchedFile } from "./watched-file.ts";

/** While GitHub is told the new one, what it signs with the old one is on its way. */
const MOST = 2;

export interface WebhookSecrets {
  /** Those that count now: one or two. */
  readonly current: readonly string[];
  /** Null: they stand in the environment. */
  readonly file: WatchedFile<readonly string[]> | null;
}

/** They are none, or protect nothing. The message follows the setting's name. */
export class UnusableSecrets extends Error {
  override readonly name = "UnusableSecrets";
}

/** One secret a line. @throws UnusableSecrets */
export function webhookSecretsOf(text: string): readonly string[] {
  const secrets = text
    .split(/\r?\n/u)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (secrets.length === 0) {
    throw new UnusableSecrets("holds no secret; expected one a line");
  }
  if (secrets.length > MOST) {
    throw new UnusableSecrets(`holds ${secrets.length} secrets; expected one, or two while they are exchanged`);
  }
  for (const [index, secret] of secrets.entries()) {
    const weak = weakness(secret);
    if (weak !== null) {
      throw new UnusableSecrets(
        `${secrets.length > 1 ? `(line ${index + 1}) ` : ""}${weak}: anybody could guess it and send webhooks in GitHub's name. Make one with \`openssl rand -hex 32\` and set it here and in the app's settings on GitHub`,
      );
    }
  }
  return secrets;
}

/** @throws UnusableSecrets, with the setting's name in front */
export function secretsOfEnvironment(text: string): WebhookSecrets {
  try {
    return { current: webhookSecretsOf(text), file: null };
  } catch (error) {
    throw named("WEBHOOK_SECRET", error);
  }
}

/** @throws UnusableSecrets, with the setting's name in front */
export function secretsOfFile(path: string): WebhookSecrets {
  try {
    const file = new WatchedFile({ name: "WEBHOOK_SECRET_FILE", path, read: webhookSecretsOf });
    return {
      get current() {
        return file.current;
      },
      file,
    };
  } catch (error) {
    throw named(`WEBHOOK_SECRET_FILE (${path})`, error);
  }
}

function named(setting: string, error: unknown): UnusableSecrets {
  const why = error instanceof Error ? error.message : String(error);
  return new UnusableSecrets(`${setting}${error instanceof UnusableSecrets ? "" : ":"} ${why}.`, { cause: error });
}
