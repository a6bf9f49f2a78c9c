/** Accepts deliveries one after another and prints each id once the store has answered. Ends when it is killed. */
import { openStore } from "../../../app/store/open.ts";

const store = await openStore(process.argv[2]);
for (let batch = 0; ; batch += 1) {
  const ids = [0, 1, 2].map((index) => `delivery-${batch}-${index}`);
  await store.acceptDeliveries(ids.map((id) => ({ id, event: "ping", payload: "{}", key: "none", receivedAt: batch })));
  process.stdout.write(ids.map((id) => `${id}\n`).join(""));
  // Lets the pipe take what was written before the next commit.
  await new Promise((resolve) => setImmediate(resolve));
}
