/** Requests as anybody could send them, without the client's care. */
import http from "node:http";
import { requestJson } from "../../../src/coordinator/client/http.ts";
import type { JoinRequest } from "../../../src/coordinator/protocol/port.ts";
import { PROTOCOL } from "../../../src/coordinator/protocol/protocol.ts";
import { idle, NEVER, SECRET } from "../builders.ts";

export interface Said {
  readonly status: number;
  readonly code: string | null;
  readonly message: string;
  readonly body: Record<string, unknown>;
}

export async function post(address: string, path: string, bearer: string | null, body: unknown): Promise<Said> {
  return await send("POST", address, path, bearer, body);
}

export async function get(address: string, path: string, bearer: string | null): Promise<Said> {
  return await send("GET", address, path, bearer, undefined);
}

async function send(
  method: "GET" | "POST",
  address: string,
  path: string,
  bearer: string | null,
  body: unknown,
): Promise<Said> {
  const agent = new http.Agent();
  const answer = await requestJson({
    method,
    url: new URL(path, `http://${address}`),
    bearer,
    body,
    agent,
    timeoutMs: 20_000,
    signal: NEVER,
  });
  agent.destroy();
  const said = answer.body as Record<string, unknown> & { error?: { code: string; message: string } };
  return { status: answer.status, code: said.error?.code ?? null, message: said.error?.message ?? "", body: said };
}

export async function join(
  address: string,
  request: JoinRequest,
  options: { readonly nonce?: string; readonly bearer?: string } = {},
): Promise<Said & { readonly run: string; readonly session: string }> {
  const nonce = options.nonce ?? `nonce-of-${request.agent}-and-more`;
  const said = await post(address, "/api/runs/join", options.bearer ?? SECRET, {
    protocol: PROTOCOL,
    nonce,
    ...request,
  });
  return { ...said, run: String(said.body.run ?? ""), session: String(said.body.session ?? "") };
}

export function syncBody(seq: number, overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    protocol: PROTOCOL,
    seq,
    holdMs: 0,
    reset: null,
    sync: idle(),
    known: { roster: null, outputs: null, notice: 0 },
    ...overrides,
  };
}
