/** What somebody sends who has shown nothing of who they are. */
import http from "node:http";
import { type CryptoKey, SignJWT } from "jose";

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
}

export interface Unfinished {
  /** Rejects when the connection is closed without one. */
  readonly answer: Promise<Answer>;
  send(bytes: Buffer): void;
  close(): void;
}

/** A request of which only the headers have come, and of its body what is sent then. */
export function unfinished(
  url: string,
  options: { readonly headers?: http.OutgoingHttpHeaders; readonly length?: number; readonly agent?: http.Agent } = {},
): Unfinished {
  const { headers = {}, length = 100_000, agent = new http.Agent() } = options;
  const request = http.request(url, { method: "POST", agent, headers: { ...headers, "content-length": length } });
  const answer = new Promise<Answer>((resolve, reject) => {
    request.on("response", (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    request.on("error", reject);
  });
  answer.catch(() => undefined);
  request.flushHeaders();
  return { answer, send: (bytes) => void request.write(bytes), close: () => void request.destroy() };
}

/** In the right form, for the right audience, in the issuer's name, signed with a key that it never published. */
export async function forgedToken(issuer: string, audience: string, keyId: string, key: CryptoKey): Promise<string> {
  return await new SignJWT({ repository: "evil/fork", repository_id: "666", run_id: "1", run_attempt: "1" })
    .setProtectedHeader({ alg: "RS256", kid: keyId })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(key);
}
