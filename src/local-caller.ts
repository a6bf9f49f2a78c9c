/**
 * Who asks from this machine, for pages that have no sign-in. A caller elsewhere gets here in two ways: by a proxy on
 * this machine, or by a web page in a browser on this machine.
 */

export interface Asked {
  readonly method: string;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Asked for by another name, it is a proxy's doing, or a web page's that has its name point to this machine. */
const LOCAL_NAME = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/iu;

/**
 * What browsers, curl and Prometheus send by themselves. Proxies show themselves by headers of which there is no end of
 * names (Forwarded, Via, X-Real-IP, CF-Ray, X-Amzn-Trace-Id, traceparent, …): so it is these that are listed.
 */
const OF_CALLERS: ReadonlySet<string> = new Set([
  ..."accept accept-charset accept-encoding accept-language authorization cache-control connection".split(" "),
  ..."content-length content-type cookie dnt expect host if-match if-modified-since if-none-match".split(" "),
  ..."if-unmodified-since keep-alive origin pragma priority range referer save-data te transfer-encoding".split(" "),
  ..."upgrade-insecure-requests user-agent x-prometheus-scrape-timeout-seconds".split(" "),
]);
/** Set by browsers; no page can set them. */
const OF_BROWSERS = /^sec-(?:ch|fetch)-[a-z-]{1,40}$|^sec-(?:gpc|purpose)$/u;

/** Why the caller counts as one elsewhere, as far as the request's headers tell; null: they tell nothing of the kind. */
export function foreignSign({ method, headers }: Asked): string | null {
  const host = headers.host;
  if (typeof host !== "string" || !LOCAL_NAME.test(host)) {
    return "it was asked for by a name that is not localhost, 127.… or [::1]";
  }
  const added = Object.keys(headers).find((name) => !OF_CALLERS.has(name) && !OF_BROWSERS.test(name));
  if (added !== undefined) {
    return `the request has a header as proxies add them: ${added.slice(0, 100)}`;
  }
  const { origin, "sec-fetch-site": site } = headers;
  if (origin !== undefined && origin !== `http://${host}`) {
    return "the request comes from a page of another site";
  }
  // To follow a link to us is no reading of what we say; to embed it, or to fetch it, is.
  const followed =
    method === "GET" && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  if (site !== undefined && site !== "same-origin" && site !== "none" && !followed) {
    return "the request comes from a page of another site";
  }
  return null;
}
