/**
 * GitHub's cache, in a thread of its own: its client is large, reads its tokens from the environment, writes to standard
 * output and starts `tar`, none of which is for this process. Nothing else is imported here, so that the thread loads
 * nothing else.
 */
import { parentPort, workerData } from "node:worker_threads";

/** For whoever starts the thread: this very file, also where it is bundled. */
export const workUrl = import.meta.url;

export interface CacheRequest {
  readonly id: number;
  /** Absolute, and the same wherever the run goes on: a part of what an entry is found by. */
  readonly file: string;
  readonly key: string;
  /** Not there: the file is to be saved under the key. Else it is to be found by the key's beginning. */
  readonly prefix?: string;
}

export interface CacheAnswer {
  readonly id: number;
  /** The entry's key, or of a saved one its number; null: there is none, or it was not taken. */
  readonly found: string | null;
  readonly error: string | null;
  /** What the client printed meanwhile: it tells nobody else of its failures. */
  readonly said: string;
}

/** Characters of it, its end. */
const LONGEST_SAID = 10_000;

/** What the client needs and no program that it starts: it is read by name, and not listed. */
const UNLISTED = ["ACTIONS_RUNTIME_TOKEN"];

/** What the thread is given, by which it knows that it is one. */
export const CACHE_THREAD = "stagewright: the cache";

/** Answers requests of the thread that started this one. */
async function answerRequests(port: NonNullable<typeof parentPort>): Promise<void> {
  const env = { ...process.env };
  for (const name of UNLISTED) Object.defineProperty(env, name, { value: env[name], enumerable: false });
  process.env = env;
  const { restoreCache, saveCache } = await import("@actions/cache");
  let said = "";
  const keep = (text: unknown): boolean => {
    said = `${said}${String(text)}`.slice(-LONGEST_SAID);
    return true;
  };
  // Here, and not from the thread's streams: what they carry may come after the answer.
  process.stdout.write = keep;
  process.stderr.write = keep;
  const answer = async ({ id, file, key, prefix }: CacheRequest): Promise<Omit<CacheAnswer, "said">> => {
    try {
      if (prefix !== undefined) {
        return { id, found: (await restoreCache([file], key, [prefix])) ?? null, error: null };
      }
      const entry = await saveCache([file], key);
      return { id, found: entry < 0 ? null : String(entry), error: null };
    } catch (error) {
      return { id, found: null, error: error instanceof Error ? error.message : String(error) };
    }
  };
  port.on("message", (request: CacheRequest) => {
    said = "";
    void answer(request).then((told) => port.postMessage({ ...told, said } satisfies CacheAnswer));
  });
  port.postMessage("ready");
}

if (parentPort !== null && workerData === CACHE_THREAD) void answerRequests(parentPort);
