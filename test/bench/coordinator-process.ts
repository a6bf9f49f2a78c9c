/** A coordinator in a process of its own, as Redis is in its: told by its parent, it answers with what it uses. */
import { Runs } from "../../src/coordinator/hosting/runs.ts";
import { serveLoopback } from "../../src/coordinator/server/serve.ts";

const { SECRET = "" } = process.env;
const onError = (error: unknown): void => console.error(error);
const serving = await serveLoopback({ secret: SECRET, runs: new Runs({ store: null, onError }), onError });
process.on("message", () => {
  // Twice: what finalizers let go is only free then.
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ rss, used: heapUsed + external });
});
process.on("disconnect", () => process.exit(0));
process.send?.({ address: serving.address });
