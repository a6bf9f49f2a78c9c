/** The last step of registering an app from a manifest: GitHub hands out its credentials, once. */
import { z } from "zod";
import { smallId } from "./id.ts";
import type { GitHubClient } from "./port.ts";

const answer = z.object({
  id: smallId,
  client_id: z.string(),
  client_secret: z.string(),
  webhook_secret: z.string(),
  pem: z.string(),
  html_url: z.url(),
});

export type RegisteredApp = z.infer<typeof answer>;

/** @param code what GitHub gave the browser; it is good for one hour, and once */
export async function registeredApp(
  client: Pick<GitHubClient, "request">,
  code: string,
  signal: AbortSignal,
): Promise<RegisteredApp> {
  const { data } = await client.request("POST /app-manifests/{code}/conversions", { code, request: { signal } });
  return answer.parse(data);
}
