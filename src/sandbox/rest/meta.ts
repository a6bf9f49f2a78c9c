/** What the server says of itself. */
import { anybody, ok, type Route, route } from "./route.ts";

/** The Enterprise version whose behaviour is imitated. */
export const serverVersion = "3.19.0";

export const metaRoutes: readonly Route[] = [
  route("GET /rate_limit", anybody, (call) => {
    const core = call.limits.read(call.caller, "core");
    const graphql = call.limits.read(call.caller, "graphql");
    const plain = ({ limit, used, remaining, reset }: typeof core) => ({ limit, used, remaining, reset });
    return ok({
      resources: {
        core: plain(core),
        graphql: plain(graphql),
        search: { limit: 30, used: 0, remaining: 30, reset: core.reset },
      },
      rate: plain(core),
    });
  }),
  route("GET /meta", anybody, () =>
    ok({ verifiable_password_authentication: false, installed_version: serverVersion }),
  ),
];
