/** `/_sandbox/*`: what tests and players may ask of the sandbox itself. */
import { z } from "zod";
import { html } from "../pages/html.ts";
import { layoutPage } from "../pages/layout.ts";
import { json, type Request, type Response } from "../server/message.ts";
import { type World, WorldError } from "../world/index.ts";
import { actSchema, perform } from "./act.ts";
import type { Faults } from "./faults.ts";
import type { RequestLog } from "./requests.ts";
import { worldState } from "./state.ts";

export interface DoorOptions {
  readonly world: World;
  readonly faults: Faults;
  readonly requests: RequestLog;
}

const entriesShown = 200;

/** @param path below `/_sandbox` */
export function adminDoor({ world, faults, requests }: DoorOptions, request: Request, path: string): Response {
  try {
    switch (`${request.method} ${path}`) {
      case "GET /requests":
        return json(200, { ...requests.counts(), recent: requests.entries().slice(-entriesShown) });
      case "DELETE /requests":
        requests.clear();
        return { status: 204, headers: {}, body: "" };
      case "GET /faults":
        return json(200, faults.list());
      case "POST /faults":
        return json(201, faults.place(parseJson(request.body)));
      case "DELETE /faults":
        faults.clear();
        return { status: 204, headers: {}, body: "" };
      case "GET /state":
        return json(200, worldState(world));
      case "POST /act":
        return act(world, request);
      default:
        return json(404, { message: "Not Found" });
    }
  } catch (error) {
    if (error instanceof z.ZodError) return json(422, { message: z.prettifyError(error) });
    if (error instanceof SyntaxError) return json(400, { message: "Problems parsing JSON" });
    throw error;
  }
}

function parseJson(text: string): unknown {
  return JSON.parse(text);
}

/** Forms are answered with a way back, JSON with JSON. */
function act(world: World, request: Request): Response {
  const form = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
  const input = form ? Object.fromEntries(new URLSearchParams(request.body)) : parseJson(request.body);
  const refused = (status: number, message: string): Response => {
    if (!form) return json(status, { message });
    const content = html`<p class="error">${message}</p><p><a href="${request.headers.referer ?? "/"}">Back</a></p>`;
    return { status, headers: { "content-type": "text/html; charset=utf-8" }, body: layoutPage("Refused", content) };
  };
  const parsed = actSchema.safeParse(input);
  if (!parsed.success) return refused(422, z.prettifyError(parsed.error));
  try {
    const location = perform(world, parsed.data);
    return form ? { status: 303, headers: { location }, body: "" } : json(200, { location });
  } catch (error) {
    if (error instanceof WorldError) return refused(error.refusal === "not_found" ? 404 : 422, error.message);
    throw error;
  }
}
