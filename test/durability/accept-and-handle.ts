/** Accepts deliveries and marks them as handled, and prints each id once it is answered. Ends when it is killed. */
import { openStore } from "../../app/store/open.ts";
import { Random } from "../simulation/random.ts";

const store = await openStore(process.argv[2]);
const random = new Random(Number(process.argv[3]));
for (let batch = 0; ; batch += 1) {
  const ids = Array.from({ length: random.between(1, 4) }, (_, nth) => `delivery-${batch}-${nth}`);
  const payload = "x".repeat(random.between(10, 12_000));
  const accepted = await store.acceptDeliveries(
    ids.map((id) => ({ id, event: "ping", payload, key: "none", receivedAt: batch, installationId: null })),
  );
  process.stdout.write(ids.map((id) => `${id}\n`).join(""));
  await store.commit({ done: accepted.map(({ seq }) => seq), now: batch });
  // Lets the pipe take what was written before the next commit.
  await new Promise((resolve) => setImmediate(resolve));
}
