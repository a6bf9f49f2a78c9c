/**
 * Loaded before a child's own code: ends the child when the demo is gone, however that died. The demo holds the other
 * end of this pipe; the kernel closes it even when nobody can say goodbye.
 */
import { Socket } from "node:net";

/** The pipe's number in the child: after stdin, stdout and stderr. */
const LEASH = 3;

const leash = new Socket({ fd: LEASH });
leash.on("error", () => leash.destroy());
leash.on("close", () => process.kill(process.pid, "SIGTERM"));
leash.resume();
// It alone never keeps the child alive.
leash.unref();
