/** What stands before the app's processes: one address, behind which each connection goes to the next that is ready. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const LOOK_EVERY_MS = 500;
const ANSWER_MS = 1_500;
/** So long a connection waits for a process that takes it. */
const PATIENCE_MS = 8_000;
const PAUSE_MS = 50;

export class Balancer {
  readonly #server: Server;
  readonly #ports: readonly number[];
  readonly #ready = new Set<number>();
  readonly #sockets = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #closed = false;

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#server = createServer({ noDelay: true }, (socket) => void this.#take(socket));
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  /** `port` 0: any free one. */
  static async open(port: number, ports: readonly number[]): Promise<Balancer> {
    const balancer = new Balancer(ports);
    await new Promise<void>((resolve, reject) => {
      balancer.#server.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
    return balancer;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Whoever is not ready is given nothing new, unless nobody is. */
  async #look(): Promise<void> {
    await Promise.all(
      this.#ports.map(async (port) => {
        const signal = AbortSignal.timeout(ANSWER_MS);
        const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal }).catch(() => null);
        await answer?.arrayBuffer().catch(() => undefined);
        if (answer?.ok === true) this.#ready.add(port);
        else this.#ready.delete(port);
      }),
    );
  }

  async #take(socket: Socket): Promise<void> {
    this.#keep(socket);
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.#closed && !socket.destroyed && Date.now() < deadline) {
      const other = await this.#reach(this.#choose());
      if (other !== null) {
        this.#keep(other);
        socket.pipe(other).pipe(socket);
        socket.on("close", () => other.destroy());
        other.on("close", () => socket.destroy());
        return;
      }
      await sleep(PAUSE_MS);
    }
    socket.destroy();
  }

  #choose(): number {
    const ready = this.#ports.filter((port) => this.#ready.has(port));
    const ports = ready.length > 0 ? ready : this.#ports;
    this.#next += 1;
    return ports[this.#next % ports.length] ?? 0;
  }

  /** Null: nobody listens there. */
  #reach(port: number): Promise<Socket | null> {
    return new Promise((resolve) => {
      const other = connect({ host: "127.0.0.1", port, noDelay: true });
      other.once("connect", () => resolve(other));
      other.once("error", () => {
        this.#ready.delete(port);
        resolve(null);
      });
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    // What was cut by a kill is no fault of this one.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }
}
