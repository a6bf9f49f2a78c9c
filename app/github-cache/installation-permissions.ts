/** What each installation has granted the app: asked for when it matters, dropped when GitHub says that it changed. */
import {
  type GrantedPermissions,
  grantedPermissionsShape,
  readGrantedPermissions,
} from "../../src/github/installation.ts";
import { refusalOf } from "../../src/lifecycle/policy/requirements.ts";
import { SingleFlight } from "../../src/single-flight.ts";
import type { Store } from "../store/model.ts";
import type { Clients } from "./clients.ts";

export interface InstallationPermissionsOptions {
  readonly store: Pick<Store, "cached" | "cache" | "dropCache">;
  readonly clients: Clients;
  readonly now: () => number;
  readonly requestTimeout: number;
}

/** GitHub tells of changes; this is for those whose event was lost. */
const KEEP_MS = 60 * 60_000;

export class InstallationPermissions {
  readonly #options: InstallationPermissionsOptions;
  readonly #asking = new SingleFlight<string, GrantedPermissions>();
  /** Rises when something may have changed: what was asked before that is not kept, nor shared with who asks later. */
  #age = 0;

  constructor(options: InstallationPermissionsOptions) {
    this.#options = options;
  }

  /** Throws what the client throws. */
  async of(installationId: number): Promise<GrantedPermissions> {
    const { store, now } = this.#options;
    const known = grantedPermissionsShape.safeParse(await store.cached(keyOf(installationId), now() - KEEP_MS));
    return known.success
      ? known.data
      : await this.#asking.share(`${this.#age} ${installationId}`, async () => await this.#ask(installationId));
  }

  async #ask(installationId: number): Promise<GrantedPermissions> {
    const { store, clients, now, requestTimeout } = this.#options;
    const key = keyOf(installationId);
    const age = this.#age;
    const value = await readGrantedPermissions(
      await clients.app(),
      installationId,
      AbortSignal.timeout(requestTimeout),
    );
    if (age === this.#age) {
      await store.cache([{ key, scope: key, value }], now());
    }
    return value;
  }

  async forget(installationId: number): Promise<void> {
    this.#age += 1;
    await this.#options.store.dropCache(keyOf(installationId));
  }

  /** Why an effect of this kind needs not be tried; null: nothing is known to speak against it. */
  async refusal(kind: string, installationId: number): Promise<string | null> {
    if (refusalOf(kind, {}) === null) {
      return null;
    }
    const installationPermissions = await this.of(installationId).catch(() => null);
    // Where GitHub does not say, it is tried, and GitHub's answer counts.
    return installationPermissions === null ? null : refusalOf(kind, installationPermissions.permissions);
  }
}

function keyOf(installationId: number): string {
  return `installationPermissions of installation ${installationId}`;
}
