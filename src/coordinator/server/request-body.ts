/** The body of a request to a coordinator: as it was sent, to be passed on, and as what it says. */
import type http from "node:http";
import type { z } from "zod";
import { isDeeper, WIRE_BOUNDS } from "../../plan/bounds.ts";
import { unpack } from "../client/http.ts";
import { bodyDigest } from "../hosting/session-tokens.ts";
import { PROTOCOLS } from "../protocol/protocol.ts";
import { Refusal } from "../protocol/refusal.ts";
import { type BodyIntake, saysJson } from "./body-intake.ts";

export interface RequestBodyOptions {
  readonly intake: BodyIntake;
  /** Of the body as it was sent, where that is known before; null: it is not. */
  readonly digest: string | null;
  /** Whether it may have to be passed on, even when it has been understood. */
  readonly isKept: boolean;
}

/** What a request's body says. */
export interface Understood<T> {
  readonly body: T;
  readonly digest: string;
  /** After decompression. */
  readonly bytes: number;
}

/** What is kept of a body that has been understood, for as long as its agent is held. Bytes. */
const KEPT_BYTES = 64 * 1024;

export class RequestBody {
  /** Told of each piece as it arrives. */
  onChunk: (() => void) | null = null;
  readonly #message: http.IncomingMessage;
  readonly #options: RequestBodyOptions;
  readonly #released = Promise.withResolvers<void>();
  #sent: Promise<Buffer> | null = null;
  #isGone = false;

  constructor(message: http.IncomingMessage, options: RequestBodyOptions) {
    this.#message = message;
    this.#options = options;
  }

  get encoding(): string | undefined {
    return this.#message.headers["content-encoding"];
  }

  /**
   * As it was sent. It keeps its place in the intake's budget until it is released or understood.
   * @throws BodyLost; Refusal `unsupported`; `unauthorized`; `unavailable` when it is not kept any more
   */
  async sent(): Promise<Buffer> {
    if (this.#isGone) throw new Refusal("unavailable", "the coordinator of this run has changed meanwhile: ask again");
    this.#sent ??= this.#read();
    return await this.#sent;
  }

  /** @param onBytes told how much it is, decompressed. @throws BodyLost; UnusableBody; NotUnderstood; Refusal; what `onBytes` throws */
  async understood<T>(schema: z.ZodType<T>, onBytes?: (bytes: number) => void): Promise<Understood<T>> {
    const sent = await this.sent();
    const bytes = await unpack(sent, this.encoding, WIRE_BOUNDS.bodyBytes);
    onBytes?.(bytes.length);
    const value = parseJson(bytes);
    const body = parse(schema, value);
    const understood = { body, digest: bodyDigest(bytes), bytes: bytes.length };
    this.#released.resolve();
    if (!this.#options.isKept || sent.length > KEPT_BYTES) this.release();
    return understood;
  }

  /** It is not needed any more. */
  release(): void {
    this.#released.resolve();
    this.#isGone = true;
    this.#sent = null;
  }

  async #read(): Promise<Buffer> {
    if (!saysJson(this.#message)) throw new Refusal("unsupported", "the content type must be application/json");
    const { intake, digest } = this.#options;
    const onChunk = (): void => this.onChunk?.();
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const taken = intake.take(this.#message, { most: WIRE_BOUNDS.bodyBytes, onChunk }, async (all) => {
        resolve(all);
        await this.#released.promise;
      });
      taken.catch(reject);
    });
    if (digest !== null && bodyDigest(bytes) !== digest) {
      throw new Refusal("unauthorized", "this body is not the one that was passed on");
    }
    return bytes;
  }
}

/** A body that is JSON, but not such a one. */
export class NotUnderstood extends Refusal {
  readonly value: unknown;
  constructor(code: "protocol" | "invalid", message: string, value: unknown) {
    super(code, message);
    this.value = value;
  }
}

/** Characters that are said about one field. */
const LONGEST_ISSUE = 500;

/** What a body says of its version, before anything else of it is believed; null: nothing. */
function protocolOf(value: unknown): number | null {
  if (typeof value !== "object" || value === null || !("protocol" in value)) return null;
  return typeof value.protocol === "number" ? value.protocol : null;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new Refusal("invalid", "the body is not JSON");
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const protocol = protocolOf(value);
  if (protocol !== null && !PROTOCOLS.some((known) => known === protocol)) {
    throw new NotUnderstood(
      "protocol",
      `protocol ${protocol} is not served here, ${PROTOCOLS.join(" and ")} is: use one version of the action everywhere`,
      value,
    );
  }
  if (isDeeper(value, WIRE_BOUNDS.nesting)) {
    throw new NotUnderstood("invalid", "the body is nested too deeply", value);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`.slice(0, LONGEST_ISSUE));
  throw new NotUnderstood("invalid", `the body does not fit the protocol: ${issues.join("; ")}`, value);
}
