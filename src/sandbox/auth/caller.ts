/** Who calls: told by the Authorization header. */
import { decodeJwt, importSPKI, jwtVerify } from "jose";
import { JOSEError } from "jose/errors";
import {
  type Account,
  type Actor,
  type App,
  account,
  actionsApp,
  app,
  asApp,
  asUser,
  type Installation,
  required,
  resolveToken,
  type Token,
  type World,
} from "../world/index.ts";

export type Caller =
  | { readonly kind: "anonymous" }
  | { readonly kind: "app"; readonly app: App }
  | {
      readonly kind: "installation";
      readonly app: App;
      readonly installation: Installation;
      readonly token: Extract<Token, { kind: "installation" }>;
    }
  | { readonly kind: "user"; readonly account: Account }
  | { readonly kind: "job"; readonly token: Extract<Token, { kind: "job" }> };

/** 401, with what GitHub says. */
export class BadCredentials extends Error {
  constructor(message = "Bad credentials") {
    super(message);
    this.name = "BadCredentials";
  }
}

/** An app's token may live ten minutes; clocks may differ by one. */
const longestJwtSeconds = 600;
const clockToleranceSeconds = 60;

/** @throws BadCredentials */
export async function identify(world: World, header: string | undefined): Promise<Caller> {
  if (header === undefined || header === "") return { kind: "anonymous" };
  const text = tokenOf(header);
  if (text === null) throw new BadCredentials();
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return { kind: "app", app: await verifyAppJwt(world, text) };
  const token = resolveToken(world, text);
  if (token === null) throw new BadCredentials();
  switch (token.kind) {
    case "user":
      return { kind: "user", account: account(world, token.accountId) };
    case "job":
      return { kind: "job", token };
    case "installation": {
      const installation = required(world.installations.get(token.installationId));
      return { kind: "installation", app: app(world, installation.appId), installation, token };
    }
  }
}

/** The token in `bearer …`, `token …`, or in `basic …`, as git and curl send it. Null: there is none. */
function tokenOf(header: string): string | null {
  const [, scheme = "", value = ""] = /^(\w+)\s+(\S+)$/.exec(header.trim()) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
    case "token":
      return value;
    case "basic": {
      const [name = "", password = ""] = Buffer.from(value, "base64").toString("utf8").split(/:(.*)/s);
      // The token is the password of any name; or the name itself, with no password or with this word for one.
      return (password === "" || password === "x-oauth-basic" ? name : password) || null;
    }
    default:
      return null;
  }
}

async function verifyAppJwt(world: World, text: string): Promise<App> {
  try {
    const claimed = String(decodeJwt(text).iss);
    const found = [...world.apps.values()].find((one) => String(one.id) === claimed || one.clientId === claimed);
    if (found === undefined || found.publicKey === null) throw new BadCredentials("Integration not found");
    const key = await importSPKI(found.publicKey, "RS256");
    const { payload } = await jwtVerify(text, key, {
      algorithms: ["RS256"],
      requiredClaims: ["iat", "exp", "iss"],
      currentDate: new Date(world.now()),
      clockTolerance: clockToleranceSeconds,
    });
    const now = Math.floor(world.now() / 1000);
    if ((payload.exp ?? 0) > now + longestJwtSeconds + clockToleranceSeconds) {
      throw new BadCredentials("'Expiration time' claim ('exp') is too far in the future");
    }
    if ((payload.iat ?? 0) > now + clockToleranceSeconds) {
      throw new BadCredentials(
        "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
      );
    }
    return found;
  } catch (error) {
    if (error instanceof BadCredentials) throw error;
    if (error instanceof JOSEError && error.code === "ERR_JWT_EXPIRED") {
      throw new BadCredentials(
        "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
      );
    }
    throw new BadCredentials("A JSON web token could not be decoded");
  }
}

/** In whose name the caller writes. Null: nobody (anonymous, or an app without an installation). */
export function actorOf(world: World, caller: Caller): Actor | null {
  switch (caller.kind) {
    case "anonymous":
    case "app":
      return null;
    case "user":
      return asUser(caller.account);
    case "installation":
      return asApp(world, caller.app);
    case "job":
      return { ...asApp(world, actionsApp(world)), via: "job" };
  }
}

/** The app in whose name checks are written. */
export function appOf(world: World, caller: Caller): App | null {
  switch (caller.kind) {
    case "anonymous":
    case "user":
      return null;
    case "app":
    case "installation":
      return caller.app;
    case "job":
      return actionsApp(world);
  }
}
