/** Requests and answers, free of sockets. */
export interface Request {
  readonly method: string;
  /** Absolute. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Text, or the bytes of a file. */
  readonly body: string | Uint8Array;
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: JSON.stringify(body),
  };
}

export function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body };
}
