/** The app as a sandbox knows it: with what its manifest asks for. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type Account, type App, addApp, type World } from "../../src/sandbox/world/index.ts";
import { KEYS } from "../keys.ts";

export interface StagewrightOptions {
  /** Default: the minimal one. */
  readonly manifest?: "app.yml" | "app-full.yml";
  /** Besides those of the manifest. */
  readonly events?: readonly string[];
  /** Other than the manifest's. */
  readonly permissions?: Readonly<Record<string, "read" | "write">>;
}

/** `url`: where the app listens. `secret`: that its webhooks are signed with. */
export function addStagewright(
  world: World,
  owner: Account,
  url: string,
  secret: string,
  { manifest = "app.yml", events = [], permissions = {} }: StagewrightOptions = {},
): App {
  const asks = parse(readFileSync(`app/${manifest}`, "utf8"));
  return addApp(world, {
    keys: KEYS,
    slug: "stagewright",
    name: "Stagewright",
    owner,
    permissions: { ...asks.default_permissions, ...permissions },
    events: [...asks.default_events, ...events],
    webhook: { url: `${url}/api/github/webhooks`, secret },
  });
}
