/**
 * Every function of the program that takes text of others, in one place, with texts that are as hard for it as we can
 * think of. `growth.test.ts` holds each to work that grows as its text does, and fails where a module reads text and
 * is neither here nor among the exempt.
 */

import { refusal } from "../../app/workflow-runs/remedy.ts";
import { Masks } from "../../src/agent/masking/masks.ts";
import { BallotReader } from "../../src/agent/output/ballot-reader.ts";
import { readEvent } from "../../src/agent/output/event-schema.ts";
import { LineSplitter, printableLine, shortened, Tail } from "../../src/agent/output/lines.ts";
import { Listing } from "../../src/agent/output/task-list.ts";
import { CommandReader } from "../../src/agent/output/workflow-commands.ts";
import { hostfile, isWithheld, variable } from "../../src/agent/process/environment.ts";
import { readHistogram } from "../../src/coordinator/hosting/histograms.ts";
import { readForwarded } from "../../src/coordinator/replicas/signature.ts";
import { parseExactly } from "../../src/github/exact-json.ts";
import { markerOf } from "../../src/github/pulls/comments.ts";
import { deliveryOrder, readWebhook } from "../../src/github/webhooks/webhook.ts";
import { localUses } from "../../src/github/workflows/local-uses.ts";
import { commandsToAnswer, readCommands } from "../../src/lifecycle/commands.ts";
import { boxesOf } from "../../src/lifecycle/conditions/checklist.ts";
import { globProblem, matcher } from "../../src/lifecycle/evidence/globs.ts";
import { labelMatcher, nameMatcher } from "../../src/lifecycle/evidence/name-patterns.ts";
import type { Facts } from "../../src/lifecycle/facts/facts.ts";
import { proseLines } from "../../src/lifecycle/facts/prose.ts";
import { ticketOf } from "../../src/lifecycle/facts/ticket.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/policy/default-policy.ts";
import { policyCheckOutput } from "../../src/lifecycle/policy/policy-check.ts";
import { readPolicy } from "../../src/lifecycle/policy/read-policy.ts";
import { fill, fillMarkdown, mention, templateProblems } from "../../src/lifecycle/policy/templates.ts";
import { readRunButton } from "../../src/lifecycle/presentation/run-buttons.ts";
import { readRunArgument, shortestName } from "../../src/lifecycle/run-commands.ts";
import { Literals } from "../../src/literals.ts";
import { foreignSign } from "../../src/local-caller.ts";
import { printDifference } from "../../src/plan/canonical.ts";
import { APPROVERS } from "../../src/plan/checkpoints.ts";
import { convertBench } from "../../src/plan/conversion/convert.ts";
import { ADDRESS } from "../../src/plan/parsing/address.ts";
import { parseDuration } from "../../src/plan/parsing/duration.ts";
import { escapeUnprintable, PRINTABLE, withoutUnprintable } from "../../src/plan/parsing/names.ts";
import { Problems, quote, suggestion } from "../../src/plan/parsing/problems.ts";
import { readSource } from "../../src/plan/parsing/source.ts";
import { readPlan } from "../../src/plan/read.ts";
import { problemAnnotations, repositoryPath } from "../../src/report/annotations.ts";
import * as escaping from "../../src/report/escape.ts";
import { readResult } from "../../src/report/record/read-result.ts";
import { compareNames } from "../../src/run/group/assembly.ts";
import { excessAt, jsonErrorAt } from "../../src/run/resume/json-error.ts";
import { readSavedRun } from "../../src/run/resume/read-saved-run.ts";

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
    module: "src/lifecycle/policy/read-policy.ts",
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
    module: "src/report/record/read-result.ts",
    of: "readResult",
    largest: 64 * KIB,
    texts: {
      "lists in lists": repeated("[", '{"schema_version": 1, "a": '),
      "a long list": repeated("1, ", '{"schema_version": 1, "phase_results": [', "1]}"),
      "wrong stages": repeated("{}, ", '{"schema_version": 1, "phase_results": [', "{}]}"),
      lines: repeated("\n", '{"schema_version": 1,', '"a": }'),
    },
    read: (text) => readResult(Buffer.from(text), "r.json"),
  },
  {
    module: "src/coordinator/hosting/histograms.ts",
    of: "readHistogram",
    largest: 64 * KIB,
    read: readHistogram,
  },
  {
    module: "src/coordinator/replicas/signature.ts",
    of: "readForwarded",
    largest: 16 * KIB,
    texts: { digits: repeated("1", "to=a; at="), names: repeated("a", "to=") },
    read: readForwarded,
  },
  {
    module: "src/plan/conversion/convert.ts",
    of: "convertBench",
    largest: 8 * KIB,
    texts: {
      ...yamlTexts,
      stages: repeated("{ name: a, type: prepare }, ", "distributed: { stages: [", "] }"),
      agents: repeated("{ address: a, id: b }, ", "distributed: { agents: [", "] }"),
    },
    read: (text) => convertBench(text, "c.yml"),
  },
  {
    module: "src/plan/parsing/source.ts",
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
    module: "src/plan/parsing/params.ts",
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
    module: "src/lifecycle/policy/templates.ts",
    of: "templateProblems, fill, fillMarkdown",
    largest: 32 * KIB,
    read: (text) => [templateProblems(text), fill(text, values), fillMarkdown(text, values)],
    texts: { places: repeated("{{ number }}") },
  },
  {
    module: "src/lifecycle/policy/templates.ts",
    of: "fill with values, mention",
    largest: 32 * KIB,
    read: (text) => [
      fill("{{reason}}", { ...values, reason: text }),
      fillMarkdown("{{reason}}", { ...values, reason: text }),
      mention(text),
    ],
  },
  {
    module: "src/lifecycle/evidence/globs.ts",
    of: "globProblem, matcher",
    largest: 2 * KIB,
    read: (text) => [globProblem(text), matcher([text])("a/b")],
  },
  {
    module: "src/lifecycle/evidence/globs.ts",
    of: "matcher of names",
    largest: 4 * KIB,
    read: matcher(["**/*a*a*a*/**/{b,c}", "[a-z]*?*?*?x", "*".repeat(200), "**/".repeat(60)]),
  },
  {
    module: "src/lifecycle/evidence/name-patterns.ts",
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
    module: "src/lifecycle/facts/prose.ts",
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
    of: "readCommands",
    largest: 32 * KIB,
    read: (text) => commandsToAnswer(readCommands(text), DEFAULT_POLICY),
    texts: { commands: repeated("/stage to a\n"), words: repeated("/a\n"), "a long command": repeated(" a", "/stage") },
  },
  {
    module: "src/lifecycle/run-commands.ts",
    of: "readRunArgument",
    largest: 32 * KIB,
    read: (text) => {
      const read = readRunArgument(`--run ${text}`);
      return "run" in read
        ? shortestName({ id: "a", plan: text, group: text }, [{ id: "a", plan: text, group: text }])
        : 0;
    },
    texts: { dashes: repeated("—"), "a long option": repeated("=", "--run="), words: repeated(" a", "--run") },
  },
  {
    module: "src/lifecycle/presentation/run-buttons.ts",
    of: "readRunButton",
    largest: 32 * KIB,
    read: (text) => readRunButton(text),
    texts: { digits: repeated("1", "continue:"), colons: repeated(":1", "stop") },
  },
  {
    module: "src/lifecycle/facts/ticket.ts",
    of: "ticketOf",
    largest: 32 * KIB,
    read: (text) =>
      ticketOf({ labels: [text], head: headOf(text), title: text }, { label: "task-*", branch: "1-*-1", title: "*" }),
    texts: { tickets: repeated("1-1-") },
  },
  {
    module: "src/lifecycle/policy/policy-check.ts",
    of: "policyCheckOutput",
    largest: 32 * KIB,
    read: (text) =>
      policyCheckOutput({
        file: text,
        found: true,
        problems: [{ severity: "error", file: text, line: 1, column: 1, message: text }],
        missing: [],
        inForce: null,
        proposed: true,
      }),
  },
  {
    module: "src/plan/parsing/duration.ts",
    of: "parseDuration",
    largest: 32 * KIB,
    read: parseDuration,
    texts: { hours: repeated("1h"), "a long fraction": repeated("1", "1.", "h") },
  },
  {
    module: "src/plan/checkpoints.ts",
    of: "APPROVERS",
    largest: 32 * KIB,
    read: (text) => APPROVERS.test(text),
  },
  {
    module: "src/plan/parsing/names.ts",
    of: "escapeUnprintable, withoutUnprintable, PRINTABLE",
    largest: 32 * KIB,
    read: (text) => [escapeUnprintable(text), withoutUnprintable(text), PRINTABLE.test(text)],
  },
  {
    module: "src/plan/parsing/problems.ts",
    of: "quote, suggestion",
    largest: 32 * KIB,
    read: (text) => [quote(text), suggestion(text, ["stages", "workload"])],
  },
  {
    module: "src/plan/parsing/address.ts",
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
    module: "src/agent/output/ballot-reader.ts",
    of: "BallotReader",
    largest: 32 * KIB,
    read: (text) => {
      const reader = new BallotReader((quoted) => quoted);
      for (const line of text.split("\n")) reader.take(line);
      return reader.ballot();
    },
    texts: { deficiencies: repeated('"a",', '{"decision":"RETRY","deficiencies":[', '"a"]}') },
  },
  {
    module: "src/agent/output/workflow-commands.ts",
    of: "CommandReader",
    largest: 32 * KIB,
    read: (text) => [new CommandReader().read(text), new CommandReader().read(`::error ${text}::${text}`)],
  },
  {
    module: "src/agent/output/lines.ts",
    of: "printableLine, shortened, LineSplitter, Tail",
    largest: 32 * KIB,
    read: (text) => {
      const tail = new Tail();
      const splitter = new LineSplitter((line) => tail.push(shortened(printableLine(line))));
      for (let at = 0; at < text.length; at += 4096) splitter.push(Buffer.from(text.slice(at, at + 4096)));
      splitter.end();
      return [tail.toString(), printableLine(text)];
    },
  },
  {
    module: "src/agent/masking/masks.ts",
    of: "Masks",
    largest: 16 * KIB,
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
    module: "src/agent/output/event-schema.ts",
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
    module: "src/agent/process/environment.ts",
    of: "variable, hostfile, isWithheld",
    largest: 32 * KIB,
    read: (text) => [variable(text), isWithheld(text), hostfile([{ name: text, address: text } as never])],
  },
  {
    module: "src/agent/output/task-list.ts",
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
    module: "src/run/group/assembly.ts",
    of: "compareNames",
    largest: 32 * KIB,
    read: (text) => compareNames(text, `${text}1`),
    texts: { "names of numbers": repeated("a1") },
  },
  {
    module: "src/run/resume/read-saved-run.ts",
    of: "readSavedRun",
    largest: 256 * KIB,
    read: (text) => [
      readSavedRun(Buffer.from(text)),
      readSavedRun(Buffer.from(JSON.stringify({ version: 1, saved_at: text, [text]: text }))),
    ],
    texts: {
      strings: repeated('"'),
      numbers: repeated("1", "[-"),
      escapes: repeated("\\", '"'),
      names: repeated('"a":1,', "{"),
    },
  },
  {
    module: "src/run/resume/json-error.ts",
    of: "jsonErrorAt, excessAt",
    largest: 256 * KIB,
    read: (text) => [jsonErrorAt(text), excessAt(text, { depth: 100, values: 1_000_000, members: 1_000_000 })],
    texts: { lines: repeated("\n1,", "["), "white space": repeated(" ", "1") },
  },
  {
    module: "src/plan/canonical.ts",
    of: "printDifference",
    largest: 64 * KIB,
    read: (text) => printDifference({ "stages.a.run": "1" }, { [`stages.${text}`]: "2", [text]: "3" }),
    texts: { dots: repeated("."), stages: repeated("stages.") },
  },
  { module: "src/github/pulls/comments.ts", of: "markerOf", largest: 32 * KIB, read: markerOf },
  {
    module: "src/github/exact-json.ts",
    of: "parseExactly",
    largest: 64 * KIB,
    read: (text) => parseExactly(JSON.stringify({ text, after: text })),
    texts: { "what looks like ids": repeated(", 9007199254740993") },
  },
  {
    module: "src/github/webhooks/webhook.ts",
    of: "deliveryOrder, readWebhook",
    largest: 32 * KIB,
    read: (text) => [
      deliveryOrder("merge_group", { merge_group: { head_ref: text } }),
      reading("merge_group", text),
      reading("check_run", text),
      reading("push", text),
    ],
    texts: { "queue branches": repeated("/pr-1-a", "refs/heads/gh-readonly-queue/a") },
  },
  {
    module: "app/workflow-runs/remedy.ts",
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
  "app/plan-runs/decisions-elsewhere.ts": "an address of at most 16 KB, one class repeated exactly 22 times",
  "app/settings/dot-env.ts": OF_OPERATOR,
  "app/settings/webhook-secrets.ts": OF_OPERATOR,
  "app/settings/named-numbers.ts": OF_OPERATOR,
  "app/github-cache/sign-command.ts": OF_OPERATOR,
  "app/http/dead-effects.ts": OF_BOUNDED,
  "app/store/database/backup.ts": OF_OPERATOR,
  "app/store/database/health.ts": "codes of errors of the database's own",
  "app/store/database/reads.ts": "statements of the store's own",
  "app/store/database/newer-migrations.ts": "names of the app's own migrations",
  "app/http/manifest.ts": OF_OPERATOR,
  "app/http/setup.ts": OF_OPERATOR,
  "app/github-cache/identity.ts": OF_OPERATOR,
  "app/settings/secrets.ts": OF_OPERATOR,
  "src/action/input/secrets.ts": OF_OPERATOR,
  "src/agent/collect/file-name.ts": OF_BOUNDED,
  "src/agent/collect/find-files.ts": OF_BOUNDED,
  "src/agent/masking/mask-views.ts": "the views in which Masks looks for values, measured with it",
  "src/coordinator/client/addresses.ts": OF_BOUNDED,
  "src/state-file/state-file.ts": OF_OPERATOR,
  "src/action/cache/state-cache.ts": OF_BOUNDED,
  "src/lifecycle/command-names.ts": OF_BOUNDED,
  "app/effects/handlers/auto-merge.ts": OF_BOUNDED,
  "app/http/adopt.ts": OF_BOUNDED,
  "app/config.ts": OF_OPERATOR,
  "app/deployment-gates/pulls.ts": OF_BOUNDED,
  "app/deployment-gates/sweep.ts": OF_GITHUB,
  "app/http/local-caller.ts": OF_BOUNDED,
  "app/http/monitoring.ts": OF_BOUNDED,
  "app/http/overdue.ts": OF_BOUNDED,
  "app/http/pages.ts": OF_BOUNDED,
  "app/store/document-cache.ts": "what the app itself has written",
  "app/store/documents.ts": "what the app itself has written",
  "src/run/stage/attempt-id.ts": OF_BOUNDED,
  "app/store/change-pull.ts": "reads no text: what it marks is to be read again from GitHub",
  "app/reconciliation/sweep.ts": OF_BOUNDED,
  "app/reconciliation/maintenance.ts": OF_GITHUB,
  "app/workflow-runs/find.ts": OF_BOUNDED,
  "app/store/open.ts": OF_OPERATOR,
  "app/store/database/postgres-errors.ts": OF_OPERATOR,
  "app/http/webhook.ts": OF_STREAM,
  "src/action.ts": OF_OPERATOR,
  "src/action/input/inputs.ts": OF_OPERATOR,
  "src/action/input/job.ts": OF_GITHUB,
  "src/action/input/plan-file.ts": BY_THEIR_FILE,
  "src/action/input/rerun.ts": OF_BOUNDED,
  "src/action/read-post-state.ts": "what the action itself has left, sealed by it",
  "src/agent/agent.ts": "reads no text: it ends what is left of an agent",
  "src/agent/output/events.ts": OF_STREAM,
  "src/agent/process/process-groups.ts": "names of /proc",
  "src/coordinator/admission/admission.ts": OF_BOUNDED,
  "src/coordinator/client/client.ts": OF_GITHUB,
  "src/coordinator/client/find-leader.ts": OF_GITHUB,
  "src/coordinator/client/http.ts": OF_STREAM,
  "src/coordinator/server/body-intake.ts": OF_STREAM,
  "src/coordinator/server/leader.ts": "its own certificate",
  "src/coordinator/server/answer.ts": "what a client says it takes, within the bounds of a request's headers",
  "src/coordinator/server/handler.ts": OF_BOUNDED,
  "src/github/pulls/about-to-merge.ts": OF_GITHUB,
  "src/github/webhooks/deliveries.ts": OF_BOUNDED,
  "src/github/id.ts": "an id has at most 20 digits: nothing longer is looked at",
  "src/github/graphql.ts": OF_GITHUB,
  "src/github/installation.ts": OF_GITHUB,
  "src/github/pulls/labels.ts": OF_GITHUB,
  "src/github/checks/leader-beacon.ts": OF_BOUNDED,
  "src/github/policy-files/load-policy.ts": BY_THEIR_FILE,
  "src/github/checks/merge-group.ts": OF_GITHUB,
  "src/github/pulls/merging.ts": OF_GITHUB,
  "src/github/policy-files/named-accounts.ts": OF_GITHUB,
  "src/github/policy-files/policy-file.ts": OF_GITHUB,
  "src/github/pulls/pull-labels.ts": OF_GITHUB,
  "src/github/request-failure.ts": OF_BOUNDED,
  "src/github/pulls/review-requests.ts": OF_GITHUB,
  "src/github/pulls/current-display.ts": OF_GITHUB,
  "src/github/pulls/snapshot.ts": OF_GITHUB,
  "src/github/permissions.ts": OF_GITHUB,
  "src/github/pulls/timeline.ts": OF_GITHUB,
  "src/github/token-holder.ts": OF_GITHUB,
  "src/github/webhooks/check-events.ts": OF_GITHUB,
  "src/github/webhooks/installation.ts": OF_GITHUB,
  "src/github/webhooks/payloads.ts": OF_BOUNDED,
  "src/github/webhooks/pull-events.ts": OF_GITHUB,
  "src/github/workflows/workflows.ts": OF_GITHUB,
  "src/github/workflows/run-origin.ts": OF_GITHUB,
  "src/proxy.ts": OF_OPERATOR,
  "src/lifecycle/actions/start.ts": BY_THEIR_FILE,
  "src/lifecycle/facts-file/facts-file.ts": OF_OPERATOR,
  "src/lifecycle/facts-file/schema.ts": OF_OPERATOR,
  "src/lifecycle/facts-file/people.ts": OF_OPERATOR,
  "src/lifecycle/policy/read-condition.ts": BY_THEIR_FILE,
  "src/lifecycle/policy/schema.ts": BY_THEIR_FILE,
  "src/lifecycle/policy/value-schemas.ts": BY_THEIR_FILE,
  "src/report/html/timeline.ts": "patterns only, of names that are bounded",
  "src/report/record/json-position.ts": "read by readResult, which is measured",
  "src/report/record/testbed.ts": "of a kernel's release, of at most 200 characters",
  "src/plan/conversion/agents.ts": "read by convertBench, which is measured",
  "src/plan/conversion/stages.ts": "read by convertBench, which is measured",
  "src/plan/conversion/values.ts": "read by convertBench, which is measured",
  "src/plan/shapes/quorum-schema.ts": BY_THEIR_FILE,
  "src/plan/schema.ts": BY_THEIR_FILE,
  "src/plan/select.ts": OF_BOUNDED,
  "src/plan/stages/sequence.ts": BY_THEIR_FILE,
  "src/plan/parsing/key-parser.ts": BY_THEIR_FILE,
  "src/plan/parsing/check-schemas.ts": BY_THEIR_FILE,
  "src/plan/parsing/other-words.ts": BY_THEIR_FILE,
  "src/plan/version.ts": OF_BOUNDED,
  "src/plan/stages/tasks.ts": BY_THEIR_FILE,
  "src/plan/parsing/value-schemas.ts": BY_THEIR_FILE,
};

/** Whole rooms that are exempt: what they read is of whoever runs them. */
export const EXEMPT_ROOMS: Readonly<Record<string, string>> = {
  "src/sandbox/": "stands in for GitHub on one's own machine and takes nothing from elsewhere",
  "src/cli/": OF_OPERATOR,
  "app/demo/": "shows the sandbox to whoever starts it",
};
