/**
 * Loaded before a child's own code: ends the child when the demo is gone, however that died. The demo holds the other
 * end of this pipe; the kernel closes it even when nobody can say goodbye.
 */
import { Socket } from "node:net";

/** The pipe's number in the child: after stdin, stdout and stderr. */
const PARENT_PIPE = 3;

const parent = new Socket({ fd: PARENT_PIPE });
parent.on("error", () => parent.destroy());
parent.on("close", () => process.kill(process.pid, "SIGTERM"));
parent.resume();
// It alone never keeps the child alive.
parent.unref();
