/**
 * What people say to a run whose coordinator is another replica: passed on to it, as agents' requests are. Only replicas
 * ask so of each other.
 */
import { z } from "zod";
import type { Forwarding } from "../../src/coordinator/replicas/forwarding.ts";
import { Elsewhere, NOT_MINE } from "../../src/coordinator/replicas/owners.ts";
import { type Reply, send, sendError } from "../../src/coordinator/server/answer.ts";
import { BodyIntake } from "../../src/coordinator/server/body-intake.ts";
import { RequestBody } from "../../src/coordinator/server/request-body.ts";
import type { Handler } from "../http/webhook.ts";
import type { SaidToRun } from "./approvals.ts";

const ROUTE = /^\/api\/runs\/([\w-]{22})\/decide$/;
/** Replicas have no token of their own: the signature says who asks. */
const BEARER = "replica";
const ASK_MS = 10_000;
const INTAKE = { bytes: 16 * 1024 * 1024, bytesPerAddress: 16 * 1024 * 1024, deadlineMs: 10_000, leastRate: 1_024 };

const said = z.discriminatedUnion("verb", [
  z.strictObject({
    verb: z.enum(["continue", "stop"]),
    stage: z.number().int().min(0),
    round: z.number().int().min(1),
    by: z.string(),
    why: z.string().nullable(),
  }),
  z.strictObject({ verb: z.literal("refused"), text: z.string() }),
]);
const answered = z.object({ refused: z.string().nullable() });

type Act = (run: string, act: SaidToRun) => Promise<string | null>;

/** Has the run's coordinator hear it. @throws when it cannot be asked now: it is to be said again */
export async function decideElsewhere(at: Elsewhere, act: SaidToRun, forwarding: Forwarding): Promise<string | null> {
  const body = Buffer.from(JSON.stringify(act));
  const path = `/api/runs/${at.run}/decide`;
  const asked = { method: "POST", path, bearer: BEARER, encoding: undefined, accepts: undefined, body };
  const answer = await forwarding.ask(at, asked, AbortSignal.timeout(ASK_MS));
  if (answer?.status !== 200) throw at;
  return answered.parse(JSON.parse(answer.body.toString("utf8"))).refused;
}

/** Hears it for the runs that are coordinated here. */
export function decisionsEndpoint(
  forwarding: Forwarding,
  act: Act,
  onError: (error: unknown, what: string) => void,
): Handler {
  const intake = new BodyIntake(INTAKE);
  return async (request, response) => {
    const run = ROUTE.exec(request.url ?? "")?.[1];
    if (run === undefined || request.method !== "POST") return false;
    let reply: Reply = { response, passedOn: null };
    try {
      const passedOn = forwarding.received(request, BEARER);
      if (passedOn === null) return false;
      reply = { response, passedOn };
      const body = new RequestBody(request, { intake, digest: passedOn.digest, isKept: false });
      const { body: decision } = await body.understood(said);
      await send(reply, 200, { refused: await act(run, decision) });
    } catch (error) {
      if (error instanceof Elsewhere) await send(reply, NOT_MINE, {});
      else await sendError(reply, error, { onError }, `${request.method} ${request.url}`);
    }
    return true;
  };
}
