/** What GitHub is told when the app is registered: the file beside the code, and the addresses that it is reached at. */
import { parse } from "yaml";
import { z } from "zod";

/** Where GitHub sends people back to who sign in with it: registered from the start, or each app would have to be edited. */
export const SIGN_IN_PATH = "/auth/github/callback";

const fileShape = z.looseObject({
  name: z.string().min(1),
  description: z.string().min(1),
  default_permissions: z.record(z.string(), z.string()),
  default_events: z.array(z.string()),
});

export interface Addresses {
  /** Where GitHub reaches the app, without a slash at the end. */
  readonly publicUrl: string;
  /** Where the browser is that registers it, without a slash at the end. */
  readonly browserUrl: string;
  /** Where webhooks go, if not to the app itself: a proxy such as smee.io. */
  readonly webhookProxy: string | null;
  readonly webhookPath: string;
}

/** The manifest as GitHub's form takes it. @param file the text of `app.yml` */
export function manifestFor(file: string, addresses: Addresses): Record<string, unknown> {
  const { publicUrl, browserUrl, webhookProxy, webhookPath } = addresses;
  return {
    ...fileShape.parse(parse(file)),
    url: publicUrl,
    hook_attributes: { url: webhookProxy ?? `${publicUrl}${webhookPath}`, active: true },
    redirect_url: `${browserUrl}${REGISTERED_PATH}`,
    callback_urls: [`${publicUrl}${SIGN_IN_PATH}`],
  };
}

/** Where GitHub sends the browser when the app is registered. */
export const REGISTERED_PATH = "/probot/setup";

/** Whether GitHub can reach the address: it is not this machine's own, nor one of a private network. */
export function isReachable(address: string): boolean {
  const host = new URL(address).hostname.replace(/^\[|\]$/gu, "");
  return !(
    host === "localhost" ||
    host.endsWith(".localhost") ||
    host.endsWith(".local") ||
    host === "::1" ||
    /^(?:127|10|0)\.|^192\.168\.|^169\.254\.|^172\.(?:1[6-9]|2\d|3[01])\.|^f[cd][0-9a-f]{2}:|^fe80:/u.test(host)
  );
}
