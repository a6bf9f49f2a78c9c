/**
 * The page that registers the app on GitHub while there is none: it posts a manifest to GitHub, which sends the browser
 * back with a code for the app's credentials. Its addresses are those of Probot's own page.
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RegisteredApp } from "../../src/github/app-manifest.ts";
import { isReachable, manifestFor, REGISTERED_PATH } from "./manifest.ts";
import { answer, type Handler, pathOf } from "./webhook.ts";

export interface SetupOptions {
  /** The text of `app.yml`. */
  readonly file: string;
  /** `https://github.com`, or an Enterprise Server. */
  readonly githubUrl: string;
  /** Whose app it becomes; null: the person's who registers it. */
  readonly organization: string | null;
  /** Null: where the page is asked for. */
  readonly publicUrl: string | null;
  readonly webhookPath: string;
  readonly webhookProxy: string | null;
  /** Tells the person who started it. */
  readonly say: (line: string) => void;
  /** Asks GitHub for the credentials behind the code. */
  readonly register: (code: string) => Promise<RegisteredApp>;
  /** Keeps the credentials; where to is said to the person. */
  readonly keep: (settings: Readonly<Record<string, string>>) => string;
}

const PAGE_PATH = "/probot";
/** What ties GitHub's answer to the browser that asked: nobody else's link brings this app another one's credentials. */
const COOKIE = "stagewright_setup";

/** Answers everything while there is no app. */
export function setupPages(options: SetupOptions): Handler {
  return async (request, response) => {
    if (request.method !== "GET") {
      return answer(response, 404, { error: "There is nothing here before the app is registered." });
    }
    switch (pathOf(request)) {
      case "/healthz":
        return answer(response, 200, { healthy: true });
      case "/readyz":
        return answer(response, 503, { ready: false, reason: "there is no app yet: APP_ID is missing" });
      case "/":
        return redirect(response, PAGE_PATH);
      case PAGE_PATH:
        return showPage(options, request, response);
      case REGISTERED_PATH:
        return await finish(options, request, response);
      default:
        return answer(response, 404, { error: "There is nothing here before the app is registered." });
    }
  };
}

function showPage(options: SetupOptions, request: IncomingMessage, response: ServerResponse): true {
  const { file, githubUrl, organization, webhookPath, webhookProxy } = options;
  const browserUrl = askedAt(request);
  const publicUrl = options.publicUrl ?? browserUrl;
  const manifest = manifestFor(file, { publicUrl, browserUrl, webhookProxy, webhookPath });
  const state = stateOf(request) ?? randomBytes(16).toString("hex");
  const owner = organization === null ? "" : `/organizations/${encodeURIComponent(organization)}`;
  const hook = webhookProxy ?? `${publicUrl}${webhookPath}`;
  const warning = isReachable(hook)
    ? ""
    : `<p><strong>GitHub cannot reach ${escaped(hook)}.</strong> Open this page at the address that GitHub reaches it at,
or set PUBLIC_URL to it, before you register the app.</p>`;
  const page = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Register Stagewright on GitHub</title></head>
<body>
<h1>Register Stagewright on GitHub</h1>
<p>There is no app yet. GitHub will send its webhooks to <code>${escaped(hook)}</code>.</p>
${warning}
<form action="${escaped(`${githubUrl}${owner}/settings/apps/new?state=${state}`)}" method="post">
<button name="manifest" id="manifest" value='${escaped(JSON.stringify(manifest), "'")}'>Register GitHub App</button>
</form>
<p>For an app that is registered already set APP_ID, PRIVATE_KEY (or PRIVATE_KEY_PATH) and WEBHOOK_SECRET, and start again.</p>
</body>
</html>
`;
  response.writeHead(200, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "set-cookie": `${COOKIE}=${state}; Path=${PAGE_PATH}; HttpOnly; SameSite=Lax`,
  });
  response.end(page);
  return true;
}

async function finish(options: SetupOptions, request: IncomingMessage, response: ServerResponse): Promise<true> {
  const { say, register, keep } = options;
  const query = new URL(request.url ?? "/", "http://localhost").searchParams;
  const code = query.get("code") ?? "";
  const state = stateOf(request);
  if (!/^[\w-]{1,200}$/u.test(code)) {
    return answer(response, 400, { error: "GitHub's code is missing: register the app from the page /probot." });
  }
  if (state === null || query.get("state") !== state) {
    return answer(response, 400, {
      error: "This browser has not begun to register an app: begin at the page /probot.",
    });
  }
  try {
    const app = await register(code);
    const file = keep({
      APP_ID: `${app.id}`,
      PRIVATE_KEY: app.pem,
      WEBHOOK_SECRET: app.webhook_secret,
      GITHUB_CLIENT_ID: app.client_id,
      GITHUB_CLIENT_SECRET: app.client_secret,
    });
    say(`the app ${app.id} is registered, its credentials are in ${file}: start again`);
    return redirect(response, `${app.html_url}/installations/new`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const failure = `The app's credentials could not be had and kept: ${why}`;
    say(failure);
    return answer(response, 502, { error: failure });
  }
}

/** Where the browser asks, without a slash at the end; a proxy in front tells by what it adds. */
function askedAt(request: IncomingMessage): string {
  const said = (name: string) =>
    String(request.headers[name] ?? "")
      .split(",", 1)[0]
      ?.trim() ?? "";
  const protocol = said("x-forwarded-proto") === "https" ? "https" : "http";
  const host = said("x-forwarded-host") || said("host");
  const url = URL.parse(`${protocol}://${host}`);
  return url === null ? "http://localhost" : url.origin;
}

function stateOf(request: IncomingMessage): string | null {
  const pattern = new RegExp(`(?:^|;\\s*)${COOKIE}=([0-9a-f]{32})(?:;|$)`, "u");
  return pattern.exec(request.headers.cookie ?? "")?.[1] ?? null;
}

function redirect(response: ServerResponse, location: string): true {
  response.writeHead(302, { location }).end();
  return true;
}

/** For an attribute's value in these quotes, and for text. */
function escaped(text: string, quotes: "'" | '"' = '"'): string {
  const safe = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return quotes === "'" ? safe.replaceAll("'", "&#39;") : safe.replaceAll('"', "&quot;");
}
