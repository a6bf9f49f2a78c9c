/** What all pages share. */
import { iso } from "../shapes/urls.ts";
import type { Account, Label, World } from "../world/index.ts";
import { Html, html, type Piece } from "./html.ts";

export const stylesheet = `
:root { color-scheme: light dark; --line: #8885; --dim: #888; --good: #2da44e; --bad: #cf222e; --busy: #bf8700; }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem }
header, footer { color: var(--dim) } h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top }
pre { background: #8881; padding: .7rem; overflow: auto; max-height: 40rem; white-space: pre-wrap; border-radius: 6px }
.label { display: inline-block; padding: 0 .6em; border: 1px solid var(--line); border-radius: 1em; font-size: .85em }
.dot { display: inline-block; width: .8em; height: .8em; border-radius: 1em; border: 2px solid var(--line) }
.good { color: var(--good) } .bad { color: var(--bad) } .busy { color: var(--busy) } .dim { color: var(--dim) }
form { display: inline-flex; flex-wrap: wrap; gap: .4rem; margin: .2rem .6rem .2rem 0; padding: .4rem; border: 1px solid var(--line); border-radius: 6px; align-items: center }
input, select, button { font: inherit; padding: .15rem .4rem } details { margin: .4rem 0 }
.error { border: 2px solid var(--bad); padding: .6rem; border-radius: 6px }
`;

/** @param refresh seconds after which the page loads itself again */
export function layoutPage(title: string, content: Html, refresh?: number): string {
  const again = refresh === undefined ? null : new Html(`<meta http-equiv="refresh" content="${refresh}">`);
  return `<!doctype html>\n${
    html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">${again}
<title>${title}</title><link rel="stylesheet" href="/_style.css"></head>
<body><header><a href="/">Sandbox</a> — a local stand-in for GitHub · <a href="/_deliveries">webhook deliveries</a> · <a href="/_sandbox/requests">requests</a></header>
<main><h1>${title}</h1>${content}</main></body></html>`.text
  }\n`;
}

export function when(at: number | null): Html {
  return at === null
    ? html`<span class="dim">–</span>`
    : html`<time datetime="${iso(at)}">${iso(at).replace("T", " ").replace("Z", "")}</time>`;
}

export function who(account: Account): Html {
  return html`<b>${account.login}</b>`;
}

/** What a check, job or run stands at, in words and colour. */
export function state(status: string, conclusion: string | null): Html {
  if (status !== "completed") return html`<span class="busy">● ${status.replaceAll("_", " ")}</span>`;
  const good = conclusion === "success" || conclusion === "neutral" || conclusion === "skipped";
  return html`<span class="${good ? "good" : "bad"}">${good ? "✓" : "✗"} ${conclusion ?? "completed"}</span>`;
}

export function labelChip(label: Pick<Label, "name" | "color">): Html {
  return html`<span class="label" title="#${label.color}">${label.name}</span> `;
}

/** Markdown as it was written. */
export function markdown(text: string | null): Html | null {
  return text === null || text === "" ? null : html`<pre>${text}</pre>`;
}

export function table(heads: readonly string[], rows: readonly (readonly Piece[])[]): Html {
  if (rows.length === 0) return html`<p class="dim">none</p>`;
  return html`<table><tr>${heads.map((head) => html`<th>${head}</th>`)}</tr>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</table>`;
}

/** People and bots that one can act as. */
export function actors(world: World): Account[] {
  return [...world.accounts.values()].filter(
    (one) => one.type === "User" || (one.type === "Bot" && one.login !== "github-actions[bot]"),
  );
}

/** A form that does one thing in somebody's name, and leads back to where it was. */
export function act(
  world: World,
  what: string,
  target: Readonly<Record<string, string | number>>,
  fields: Piece,
  button: string,
): Html {
  const hidden = Object.entries({ do: what, ...target }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  const options = actors(world).map((one) => html`<option>${one.login}</option>`);
  return html`<form method="post" action="/_sandbox/act">${hidden}<label>as <select name="as">${options}</select></label>${fields}<button>${button}</button></form>`;
}
