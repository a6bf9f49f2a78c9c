/**
 * GitHub's cache, as far as `@actions/cache` asks it: entries by key and version, newest first, and the storage that their
 * files go to and come from. On a port of its own, as it is on another host at GitHub.
 */
import { randomBytes } from "node:crypto";
import http from "node:http";

const SERVICE = "/twirp/github.actions.results.api.v1.CacheService/";
const MOST_BYTES = 64 * 1024 * 1024;

interface CacheEntry {
  readonly id: number;
  readonly key: string;
  readonly version: string;
  /** Null: not uploaded. */
  file: Buffer | null;
  isWhole: boolean;
}

export interface CacheService {
  /** The value of ACTIONS_RESULTS_URL. */
  readonly url: string;
  /** The value of ACTIONS_RUNTIME_TOKEN. */
  readonly token: string;
  /** Keys of the entries that are whole, oldest first. */
  keys(): readonly string[];
  /** What was kept last, as the client packed it; null: nothing was. */
  newest(): Buffer | null;
  close(): Promise<void>;
}

export async function startCacheService(): Promise<CacheService> {
  const entries: CacheEntry[] = [];
  const token = `ghrt_${randomBytes(24).toString("hex")}`;
  const server = http.createServer((request, response) => {
    answer(request).then(
      ({ status, body, headers }) => response.writeHead(status, headers).end(body),
      (error: unknown) => response.writeHead(400).end(String(error)),
    );
  });
  const blobUrl = ({ id }: CacheEntry): string => `${url}blobs/cache/${id}?sig=sandbox`;

  async function answer(request: http.IncomingMessage): Promise<Answered> {
    const { pathname } = new URL(request.url ?? "/", url);
    const body = await bodyOf(request);
    const blob = /^\/blobs\/cache\/(\d+)$/u.exec(pathname);
    if (blob !== null) return stored(request.method ?? "", body, entries[Number(blob[1])]);
    if (request.headers.authorization !== `Bearer ${token}`) return told(401, { code: "unauthenticated", msg: "no" });
    if (!pathname.startsWith(SERVICE)) return told(404, { code: "bad_route", msg: `no ${pathname} here` });
    const asked = JSON.parse(body.toString("utf8"));
    const { key = "", version = "" } = asked;
    const isThis = (entry: CacheEntry): boolean => entry.key === key && entry.version === version;
    switch (pathname.slice(SERVICE.length)) {
      case "CreateCacheEntry": {
        if (entries.some(isThis)) return told(200, { ok: false, message: "it is there already" });
        const entry = { id: entries.length, key, version, file: null, isWhole: false };
        entries.push(entry);
        return told(200, { ok: true, signed_upload_url: blobUrl(entry) });
      }
      case "FinalizeCacheEntryUpload": {
        const entry = entries.find(isThis);
        if (entry?.file == null) return told(200, { ok: false, message: "it was not uploaded" });
        entry.isWhole = true;
        return told(200, { ok: true, entry_id: String(entry.id + 1) });
      }
      case "GetCacheEntryDownloadURL": {
        const whole = entries.filter((entry) => entry.isWhole && entry.version === version);
        const starts = [key, ...(asked.restore_keys ?? [])];
        const found =
          whole.find(isThis) ??
          starts.map((start) => whole.findLast((entry) => entry.key.startsWith(start))).find(Boolean);
        if (found === undefined) return told(200, { ok: false });
        return told(200, { ok: true, signed_download_url: blobUrl(found), matched_key: found.key });
      }
      default:
        return told(404, { code: "bad_route", msg: `no ${pathname} here` });
    }
  }

  const url = await new Promise<string>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`);
    });
  });
  return {
    url,
    token,
    keys: () => entries.filter(({ isWhole }) => isWhole).map(({ key }) => key),
    newest: () => entries.findLast(({ isWhole }) => isWhole)?.file ?? null,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Answered {
  readonly status: number;
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

function told(status: number, body: unknown): Answered {
  return { status, body: JSON.stringify(body), headers: { "content-type": "application/json" } };
}

/** As Azure's storage: whoever has the address may. */
function stored(method: string, body: Buffer, entry: CacheEntry | undefined): Answered {
  if (entry === undefined) return { status: 404, body: "", headers: {} };
  if (method === "PUT") {
    entry.file = body;
    const headers = { etag: '"1"', "last-modified": new Date().toUTCString(), "x-ms-request-id": "1", date: "" };
    return { status: 201, body: "", headers };
  }
  return entry.file === null
    ? { status: 404, body: "", headers: {} }
    : { status: 200, body: entry.file, headers: { "content-length": String(entry.file.length) } };
}

async function bodyOf(request: http.IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request) {
    const bytes = Buffer.from(piece);
    size += bytes.length;
    if (size > MOST_BYTES) throw new Error("it is too large");
    pieces.push(bytes);
  }
  return Buffer.concat(pieces);
}
