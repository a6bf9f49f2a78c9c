/** This job's OIDC tokens: who may have one, where they come from, and who issues them. */
import { z } from "zod";
import type { TokenVerifier } from "../../coordinator/admission/admission.ts";
import { connectionProblem } from "../../proxy.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const REQUEST_MS = 15_000;

/** Whether the runner gives this job tokens: its workflow must grant `id-token: write`. */
export function hasIdTokens(env: Environment): boolean {
  return Boolean(env.ACTIONS_ID_TOKEN_REQUEST_URL && env.ACTIONS_ID_TOKEN_REQUEST_TOKEN);
}

/** A token for an audience, fresh. Not by @actions/core, which brings an HTTP client for it. @throws what went wrong */
export async function idToken(env: Environment, audience: string, mask: (value: string) => void): Promise<string> {
  const url = new URL(env.ACTIONS_ID_TOKEN_REQUEST_URL ?? "");
  url.searchParams.set("audience", audience);
  const headers = { authorization: `Bearer ${env.ACTIONS_ID_TOKEN_REQUEST_TOKEN ?? ""}`, accept: "application/json" };
  let response: Response;
  try {
    response = await fetch(url, { headers, signal: AbortSignal.timeout(REQUEST_MS) });
  } catch (error) {
    throw new Error(`the runner gave no OIDC token: ${connectionProblem(error, url)}`, { cause: error });
  }
  if (!response.ok) throw new Error(`the runner gave no OIDC token: it answered ${response.status}`);
  const { value } = z.object({ value: z.string().min(1) }).parse(await response.json());
  mask(value);
  return value;
}

const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";

/** Checks the tokens of other jobs, by the keys of whoever issues this server's tokens. */
export function verifierFor(env: Environment): (audience: string) => TokenVerifier {
  const issuer = issuerOf(env);
  return (audience) => {
    // What checks signatures is loaded with the first token.
    let verify: Promise<TokenVerifier> | null = null;
    return async (token) => {
      verify ??= import("../../coordinator/admission/admission.ts").then((made) =>
        made.createTokenVerifier({ issuer, audience }),
      );
      return await (await verify)(token);
    };
  };
}

function issuerOf(env: Environment): string {
  if (env.STAGEWRIGHT_OIDC_ISSUER) return env.STAGEWRIGHT_OIDC_ISSUER;
  const server = new URL(env.GITHUB_SERVER_URL || "https://github.com");
  if (server.hostname === "github.com") return GITHUB_ISSUER;
  // Enterprise Cloud with data residency has a host of its own for tokens, Enterprise Server a path.
  if (server.hostname.endsWith(".ghe.com")) return `https://token.actions.${server.hostname}`;
  return `${server.origin}/_services/token`;
}
