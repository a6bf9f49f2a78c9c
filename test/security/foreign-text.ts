/**
 * Every function of the program that takes text of others, in one place, with texts that are as hard for it as we can
 * think of. `growth.test.ts` holds each to work that grows as its text does, and fails where a module reads text and
 * is neither here nor among the exempt.
 */

import { refusal } from "../../app/starts/remedy.ts";
import { CommandReader } from "../../src/agent/commands.ts";
import { hostfile, isWithheld, variable } from "../../src/agent/environment.ts";
import { readEvent } from "../../src/agent/event-schema.ts";
import { LineSplitter, printable, shortened, Tail } from "../../src/agent/lines.ts";
import { Masks } from "../../src/agent/masks.ts";
import { markerOf } from "../../src/github/comments.ts";
import { parseExactly } from "../../src/github/exact-json.ts";
import { orderKey, readWebhook } from "../../src/github/webhook.ts";
import { localUses } from "../../src/github/workflows/local-uses.ts";
import { parseCommands } from "../../src/lifecycle/commands.ts";
import { boxesOf } from "../../src/lifecycle/conditions/checklist.ts";
import { globProblem, matcher } from "../../src/lifecycle/conditions/globs.ts";
import { labelMatcher, nameMatcher } from "../../src/lifecycle/conditions/name-patterns.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/default-policy.ts";
import type { Facts } from "../../src/lifecycle/facts.ts";
import { policyVerdict } from "../../src/lifecycle/policy-verdict.ts";
import { proseLines } from "../../src/lifecycle/prose.ts";
import { readPolicy } from "../../src/lifecycle/read-policy.ts";
import { fill, fillMarkdown, mention, templateProblems } from "../../src/lifecycle/templates.ts";
import { ticketOf } from "../../src/lifecycle/ticket.ts";
import { Literals } from "../../src/literals.ts";
import { foreignSign } from "../../src/local-caller.ts";
import { ADDRESS } from "../../src/plan/address.ts";
import { parseDuration } from "../../src/plan/duration.ts";
import { escapeUnprintable, PRINTABLE, withoutUnprintable } from "../../src/plan/names.ts";
import { Problems, quote, suggestion } from "../../src/plan/problems.ts";
import { readPlan } from "../../src/plan/read.ts";
import { readSource } from "../../src/plan/source.ts";
import { problemAnnotations, repositoryPath } from "../../src/report/annotations.ts";
import * as escaping from "../../src/report/escape.ts";
import { compareNames } from "../../src/run/assembly.ts";
import { Listing } from "../../src/run/listing.ts";

export interface Reader {
  readonly module: string;
  /** The functions that are measured. */
  readonly of: string;
  /** Characters of the largest text: what is quadratic takes a second there, what is linear some milliseconds. */
  readonly largest: number;
  readonly read: (text: string) => unknown;
  /** Beside those that everybody gets. */
  readonly texts?: Readonly<Record<string, Hostile>>;
}

/** Makes a text of about this many characters. */
export type Hostile = (size: number) => string;

/** `repeated("ab")` is `ababab…`; with what stands before and after it. */
export function repeated(part: string, before = "", after = ""): Hostile {
  return (size) => before + part.repeat(Math.ceil(size / part.length)) + after;
}

const KIB = 1024;

/** Hard for somebody: what every reader gets. */
export const TEXTS: Readonly<Record<string, Hostile>> = {
  letters: repeated("a"),
  spaces: repeated(" ", "a", "a"),
  "line ends": repeated("\n", "a", "a"),
  "carriage returns": repeated("\r", "a", "a"),
  braces: repeated("{{"),
  "opened braces and spaces": repeated(" ", "{{"),
  brackets: repeated("["),
  stars: repeated("*"),
  backticks: repeated("`"),
  "backticks of many lengths": (size) => {
    let text = "";
    for (let length = 1; text.length < size; length = (length % 500) + 1) text += `${"`".repeat(length)} `;
    return text;
  },
  slashes: repeated("/", "", "a"),
  colons: repeated("::"),
  commas: repeated(",="),
  digits: repeated("1", "", "a"),
  "numbers with dashes": repeated("1-"),
  percents: repeated("%0"),
  comments: repeated("<!--"),
  tags: repeated("<a b='"),
  quotes: repeated("\"'"),
  "unfinished strings": repeated("\u001b]"),
  "unfinished sequences": repeated("\u001b[1;"),
  "one unfinished sequence": repeated("1;", "\u001b["),
  "C1 control strings": repeated("\u009d"),
  "combining characters": repeated("\u0301", "e"),
  "halves of characters": repeated("\ud83d"),
  "marks that reorder": repeated("\u202e"),
  quotations: repeated(">"),
  "quoted lists": repeated("> - a\n"),
  anchors: repeated("&a *a "),
  tabs: repeated("\t", "a:", "b"),
};

const yamlTexts: Readonly<Record<string, Hostile>> = {
  "stages without end": repeated("- {}\n", "stages:\n"),
  "aliases of aliases": (size) => {
    let text = "a0: &a0 [x, x]\n";
    for (let n = 1; text.length < size; n += 1) text += `a${n}: &a${n} [*a${n - 1}, *a${n - 1}]\n`;
    return text;
  },
  "unknown keys": (size) => {
    let text = "";
    for (let n = 0; text.length < size; n += 1) text += `stage${n}: 1\n`;
    return text;
  },
  "one key again and again": repeated("a: 1\n"),
  "flow sequences": repeated("[a,", "stages: "),
  "a long quoted text": repeated("\\u0041 ", 'stages: "', '"'),
  "a long block": repeated("  a b\n", "stages: |\n"),
  "a long plain text": repeated("  a b\n", "stages: a\n"),
  "spaces at the ends of lines": repeated("a      \n  ", "stages: a\n"),
  "comments only": repeated("# a\n"),
  "a template of opened braces": repeated(
    " ",
    'stages: [{ name: a, enter: { draft: false }, on_enter: [{ comment: "{{',
    '" }] }]',
  ),
  "templates that are wrong": repeated(
    "{{x}}",
    'stages: [{ name: a, enter: { draft: false }, on_enter: [{ comment: "',
    '" }] }]',
  ),
  "a long glob": repeated("{", 'stages: [{ name: a, enter: { paths: "', '" } }]'),
  "many globs": repeated('"**/*a*/{a,b,c}", ', "stages: [{ name: a, enter: { paths: [", '"a"] } }]'),
  "conditions in conditions": repeated("not: {", "stages: [{ name: a, enter: {"),
};

const headOf = (ref: string): Facts["head"] => ({ sha: "s", ref, repositoryId: 1, at: 1 });
const values = { number: "1", sha: "s", base: "b", stage: "s", owner: "o", ticket: "t", reason: "r" };
const ourselves = { appId: 1, botLogin: "stagewright[bot]" };

export const READERS: readonly Reader[] = [
  {
    module: "src/lifecycle/read-policy.ts",
    of: "readPolicy",
    largest: 8 * KIB,
    texts: yamlTexts,
    read: (text) => readPolicy(text),
  },
  {
    module: "src/plan/read.ts",
    of: "readPlan",
    largest: 8 * KIB,
    texts: yamlTexts,
    read: (text) => readPlan(text, "p.yml"),
  },
  {
    module: "src/plan/source.ts",
    of: "readSource",
    largest: 8 * KIB,
    texts: yamlTexts,
    read: (text) => readSource(text, new Problems("p")),
  },
  {
    module: "src/github/workflows/local-uses.ts",
    of: "localUses",
    largest: 8 * KIB,
    texts: yamlTexts,
    read: localUses,
  },
  {
    module: "src/plan/params.ts",
    of: "readPlan with placeholders",
    largest: 16 * KIB,
    texts: {
      placeholders: repeated("{{params.a}}", 'params: { a: 1 }\nstages: [{ name: a, env: { A: "', '" } }]'),
      "unknown placeholders": repeated("{{params.b}}", 'params: { a: 1 }\nstages: [{ name: a, env: { A: "', '" } }]'),
      "opened placeholders": repeated("{{params.", 'params: { a: 1 }\nstages: [{ name: a, env: { A: "', '" } }]'),
    },
    read: (text) => readPlan(text, "p.yml"),
  },
  {
    module: "src/lifecycle/templates.ts",
    of: "templateProblems, fill, fillMarkdown",
    largest: 32 * KIB,
    read: (text) => [templateProblems(text), fill(text, values), fillMarkdown(text, values)],
    texts: { places: repeated("{{ number }}") },
  },
  {
    module: "src/lifecycle/templates.ts",
    of: "fill with values, mention",
    largest: 32 * KIB,
    read: (text) => [
      fill("{{reason}}", { ...values, reason: text }),
      fillMarkdown("{{reason}}", { ...values, reason: text }),
      mention(text),
    ],
  },
  {
    module: "src/lifecycle/conditions/globs.ts",
    of: "globProblem, matcher",
    largest: 2 * KIB,
    read: (text) => [globProblem(text), matcher([text])("a/b")],
  },
  {
    module: "src/lifecycle/conditions/globs.ts",
    of: "matcher of names",
    largest: 4 * KIB,
    read: matcher(["**/*a*a*a*/**/{b,c}", "[a-z]*?*?*?x", "*".repeat(200), "**/".repeat(60)]),
  },
  {
    module: "src/lifecycle/conditions/name-patterns.ts",
    of: "nameMatcher",
    largest: 8 * KIB,
    read: (text) => [nameMatcher(text)("a*a"), nameMatcher("*a*a*b*a*")(text), labelMatcher("*ab*ba*")(text)],
    texts: { wildcards: repeated("*"), escapes: repeated("\\*"), alike: repeated("a") },
  },
  {
    module: "src/lifecycle/conditions/checklist.ts",
    of: "boxesOf",
    largest: 32 * KIB,
    read: (text) => boxesOf(text, "a"),
    texts: { boxes: repeated("- [ ] a\n"), headings: repeated("# a\n") },
  },
  {
    module: "src/lifecycle/prose.ts",
    of: "proseLines",
    largest: 32 * KIB,
    read: (text) => [...proseLines(text)],
    texts: {
      declarations: repeated("<!A "),
      "CDATA sections": repeated("a <![CDATA["),
      "items in items": repeated("- "),
      "lazy quotations": repeated("b\n", "> a\n"),
      "setext headings": repeated("a\n", "", "==="),
    },
  },
  {
    module: "src/lifecycle/commands.ts",
    of: "parseCommands",
    largest: 32 * KIB,
    read: (text) => parseCommands(text, DEFAULT_POLICY),
    texts: { commands: repeated("/stage to a\n"), "a long command": repeated(" a", "/stage") },
  },
  {
    module: "src/lifecycle/ticket.ts",
    of: "ticketOf",
    largest: 32 * KIB,
    read: (text) =>
      ticketOf({ labels: [text], head: headOf(text), title: text }, { label: "task-*", branch: "1-*-1", title: "*" }),
    texts: { tickets: repeated("1-1-") },
  },
  {
    module: "src/lifecycle/policy-verdict.ts",
    of: "policyVerdict",
    largest: 32 * KIB,
    read: (text) =>
      policyVerdict({
        file: text,
        found: true,
        problems: [{ severity: "error", file: text, line: 1, column: 1, message: text }],
        lacks: [],
        inForce: null,
        proposed: true,
      }),
  },
  {
    module: "src/plan/duration.ts",
    of: "parseDuration",
    largest: 32 * KIB,
    read: parseDuration,
    texts: { hours: repeated("1h"), "a long fraction": repeated("1", "1.", "h") },
  },
  {
    module: "src/plan/names.ts",
    of: "escapeUnprintable, withoutUnprintable, PRINTABLE",
    largest: 32 * KIB,
    read: (text) => [escapeUnprintable(text), withoutUnprintable(text), PRINTABLE.test(text)],
  },
  {
    module: "src/plan/problems.ts",
    of: "quote, suggestion",
    largest: 32 * KIB,
    read: (text) => [quote(text), suggestion(text, ["stages", "workload"])],
  },
  {
    module: "src/plan/address.ts",
    of: "ADDRESS",
    largest: 32 * KIB,
    read: (text) => ADDRESS.test(text),
    texts: { "a long name": repeated("a.", "", ":") },
  },
  {
    module: "src/local-caller.ts",
    of: "foreignSign",
    largest: 32 * KIB,
    read: (text) => foreignSign({ method: "GET", headers: { host: text, [text]: text, origin: text } }),
  },
  {
    module: "src/agent/commands.ts",
    of: "CommandReader",
    largest: 32 * KIB,
    read: (text) => [new CommandReader().read(text), new CommandReader().read(`::error ${text}::${text}`)],
  },
  {
    module: "src/agent/lines.ts",
    of: "printable, shortened, LineSplitter, Tail",
    largest: 32 * KIB,
    read: (text) => {
      const tail = new Tail();
      const splitter = new LineSplitter((line) => tail.push(shortened(printable(line))));
      for (let at = 0; at < text.length; at += 4096) splitter.push(Buffer.from(text.slice(at, at + 4096)));
      splitter.end();
      return [tail.toString(), printable(text)];
    },
  },
  {
    module: "src/agent/masks.ts",
    of: "Masks",
    largest: 32 * KIB,
    read: (text) => {
      const masks = new Masks();
      masks.add(text.slice(0, text.length / 4));
      for (const line of text.split("\n", 1_000)) masks.add(line);
      return [masks.text(text), masks.json({ [text]: text })];
    },
    texts: {
      "masks line by line": (size) =>
        Array.from({ length: size / 12 }, (_, index) => `secret-${index * 7919}`).join("\n"),
      "masks that are each other's beginnings": (size) =>
        Array.from({ length: Math.sqrt(size * 2) }, (_, index) => "a".repeat(index)).join("\n"),
    },
  },
  {
    module: "src/literals.ts",
    of: "Literals, with a text between each two",
    largest: 16 * KIB,
    read: (text) => {
      const literals = new Literals({ count: 100_000, characters: 10_000_000 });
      for (let at = 0; at < text.length; at += 16) {
        literals.add(`${at}${text.slice(at, at + 8)}`);
        literals.replaceIn(text.slice(at, at + 16), "***");
      }
    },
  },
  {
    module: "src/agent/event-schema.ts",
    of: "readEvent",
    largest: 32 * KIB,
    read: (text) => [readEvent(text), readEvent(JSON.stringify({ output: { a: text } }))],
    texts: {
      "an event of many keys": (size) =>
        JSON.stringify(Object.fromEntries(Array.from({ length: size / 12 }, (_, index) => [`key${index}`, 1]))),
      "a deep value": repeated("[", '{"output":{"a":'),
    },
  },
  {
    module: "src/agent/environment.ts",
    of: "variable, hostfile, isWithheld",
    largest: 32 * KIB,
    read: (text) => [variable(text), isWithheld(text), hostfile([{ name: text, address: text } as never])],
  },
  {
    module: "src/run/listing.ts",
    of: "Listing",
    largest: 32 * KIB,
    read: (text) => {
      const listing = new Listing((shown) => shown);
      for (const line of text.split("\n")) listing.take(line);
      return listing.trouble;
    },
    texts: { "values line by line": (size) => Array.from({ length: size / 6 }, (_, index) => `${index}`).join("\n") },
  },
  {
    module: "src/run/assembly.ts",
    of: "compareNames",
    largest: 32 * KIB,
    read: (text) => compareNames(text, `${text}1`),
    texts: { "names of numbers": repeated("a1") },
  },
  { module: "src/github/comments.ts", of: "markerOf", largest: 32 * KIB, read: markerOf },
  {
    module: "src/github/exact-json.ts",
    of: "parseExactly",
    largest: 64 * KIB,
    read: (text) => parseExactly(JSON.stringify({ text, after: text })),
    texts: { "what looks like ids": repeated(", 9007199254740993") },
  },
  {
    module: "src/github/webhook.ts",
    of: "orderKey, readWebhook",
    largest: 32 * KIB,
    read: (text) => [
      orderKey("merge_group", { merge_group: { head_ref: text } }),
      reading("merge_group", text),
      reading("check_run", text),
      reading("push", text),
    ],
    texts: { "queue branches": repeated("/pr-1-a", "refs/heads/gh-readonly-queue/a") },
  },
  {
    module: "app/starts/remedy.ts",
    of: "refusal",
    largest: 32 * KIB,
    read: (text) => refusal("qa.yml", "main", { kind: "rejected", status: 422, message: text, retryAfterMs: null }),
    texts: { addresses: repeated(" - https://a") },
  },
  {
    module: "src/report/annotations.ts",
    of: "problemAnnotations, repositoryPath",
    largest: 32 * KIB,
    read: (text) => [
      problemAnnotations([{ severity: "error", file: text, line: 1, column: 1, message: text }]),
      repositoryPath(text, "/home/a/"),
      repositoryPath(text, text),
    ],
  },
  {
    module: "src/report/escape.ts",
    of: "clean, html, markdown, codeSpan, codeBlock, mermaidLabel, commands",
    largest: 32 * KIB,
    read: (text) => [
      ...[
        escaping.clean,
        escaping.oneLine,
        escaping.html,
        escaping.markdown,
        escaping.codeSpan,
        escaping.codeBlock,
        escaping.mermaidLabel,
      ].map((each) => each(text)),
      escaping.lastLines(text, 15),
      escaping.workflowCommand("error", { title: text }, text),
      escaping.clip(text, 100),
    ],
    texts: { references: repeated("#1@a GH-1 www. "), "numbers with dots": repeated("1.") },
  },
];

function reading(event: string, text: string): unknown {
  try {
    const ref = `refs/heads/${text}`;
    const repository = {
      id: 1,
      node_id: "R",
      name: text,
      full_name: text,
      private: true,
      default_branch: text,
      owner: { login: text },
    };
    const pushed = { ref, before: text, after: text, commits: [{ added: [text], removed: [], modified: [] }] };
    return readWebhook(
      event,
      {
        repository,
        ...pushed,
        merge_group: { head_ref: text, head_sha: text, base_ref: ref },
        check_run: { name: text, external_id: text },
      },
      ourselves,
    );
  } catch (error) {
    return error;
  }
}

/** Modules that read text and are measured with another, or need not be, with the reason. */
const BY_THEIR_FILE = "its parts are read by readPlan and readPolicy, which are measured";
const OF_BOUNDED = "patterns only, of short texts; each pattern of the program is measured by itself";
const OF_GITHUB = "asks GitHub and reads its answers with a schema; nothing is searched in a text";
const OF_OPERATOR = "settings and arguments of whoever runs it, on a machine of their own";
const OF_STREAM = "joins a request's or a file's bytes, whose number is bounded there";

export const EXEMPT: Readonly<Record<string, string>> = {
  "app/dot-env.ts": OF_OPERATOR,
  "app/http/manifest.ts": OF_OPERATOR,
  "app/http/setup.ts": OF_OPERATOR,
  "app/identity.ts": OF_OPERATOR,
  "app/secrets.ts": OF_OPERATOR,
  "src/action/secrets.ts": OF_OPERATOR,
  "src/agent/mask-views.ts": "the views in which Masks looks for values, measured with it",
  "src/coordinator/addresses.ts": OF_BOUNDED,
  "app/actions/auto-merge.ts": OF_BOUNDED,
  "app/adopt/endpoint.ts": OF_BOUNDED,
  "app/clients.ts": OF_GITHUB,
  "app/config.ts": OF_OPERATOR,
  "app/gates/pulls.ts": OF_BOUNDED,
  "app/gates/sweep.ts": OF_GITHUB,
  "app/local.ts": OF_BOUNDED,
  "app/overdue.ts": OF_BOUNDED,
  "app/pages.ts": OF_BOUNDED,
  "app/pull-rows.ts": "reads no text: what it marks is to be read again from GitHub",
  "app/reconcile/sweep.ts": OF_BOUNDED,
  "app/reconcile/upkeep.ts": OF_GITHUB,
  "app/starts/find.ts": OF_BOUNDED,
  "app/store/open.ts": OF_OPERATOR,
  "app/webhook-endpoint.ts": OF_STREAM,
  "src/action.ts": OF_OPERATOR,
  "src/action/inputs.ts": OF_OPERATOR,
  "src/action/job.ts": OF_GITHUB,
  "src/action/plan-file.ts": BY_THEIR_FILE,
  "src/action/rerun.ts": OF_BOUNDED,
  "src/action/state.ts": "what the action itself has left, sealed by it",
  "src/agent/agent.ts": "reads no text: it ends what is left of an agent",
  "src/agent/events.ts": OF_STREAM,
  "src/agent/process-groups.ts": "names of /proc",
  "src/coordinator/admission.ts": OF_BOUNDED,
  "src/coordinator/client.ts": OF_GITHUB,
  "src/coordinator/find-leader.ts": OF_GITHUB,
  "src/coordinator/http.ts": OF_STREAM,
  "src/coordinator/leader.ts": "its own certificate",
  "src/coordinator/server.ts": OF_BOUNDED,
  "src/github/about-to-merge.ts": OF_GITHUB,
  "src/github/check-run.ts": OF_GITHUB,
  "src/github/deliveries.ts": OF_BOUNDED,
  "src/github/id.ts": "an id has at most 20 digits: nothing longer is looked at",
  "src/github/graphql.ts": OF_GITHUB,
  "src/github/installation.ts": OF_GITHUB,
  "src/github/labels.ts": OF_GITHUB,
  "src/github/leader-beacon.ts": OF_BOUNDED,
  "src/github/load-policy.ts": BY_THEIR_FILE,
  "src/github/merge-group.ts": OF_GITHUB,
  "src/github/merging.ts": OF_GITHUB,
  "src/github/named.ts": OF_GITHUB,
  "src/github/policy-file.ts": OF_GITHUB,
  "src/github/pull-labels.ts": OF_GITHUB,
  "src/github/request-failure.ts": OF_BOUNDED,
  "src/github/review-requests.ts": OF_GITHUB,
  "src/github/shown.ts": OF_GITHUB,
  "src/github/snapshot.ts": OF_GITHUB,
  "src/github/standing.ts": OF_GITHUB,
  "src/github/timeline.ts": OF_GITHUB,
  "src/github/token-holder.ts": OF_GITHUB,
  "src/github/webhook-installation.ts": OF_GITHUB,
  "src/github/webhook-payloads.ts": OF_BOUNDED,
  "src/github/workflows.ts": OF_GITHUB,
  "src/github/workflows/run-origin.ts": OF_GITHUB,
  "src/proxy.ts": OF_OPERATOR,
  "src/lifecycle/actions/start.ts": BY_THEIR_FILE,
  "src/lifecycle/facts-file.ts": OF_OPERATOR,
  "src/lifecycle/facts-people.ts": OF_OPERATOR,
  "src/lifecycle/read-condition.ts": BY_THEIR_FILE,
  "src/lifecycle/schema.ts": BY_THEIR_FILE,
  "src/lifecycle/values.ts": BY_THEIR_FILE,
  "src/plan/schema.ts": BY_THEIR_FILE,
  "src/plan/select.ts": OF_BOUNDED,
  "src/plan/sequence.ts": BY_THEIR_FILE,
  "src/plan/shape.ts": BY_THEIR_FILE,
  "src/plan/tasks.ts": BY_THEIR_FILE,
  "src/plan/values.ts": BY_THEIR_FILE,
};

/** Whole rooms that are exempt: what they read is of whoever runs them. */
export const EXEMPT_ROOMS: Readonly<Record<string, string>> = {
  "src/sandbox/": "stands in for GitHub on one's own machine and takes nothing from elsewhere",
  "src/cli/": OF_OPERATOR,
  "app/demo/": "shows the sandbox to whoever starts it",
};
