import { describe, expect, it } from "vitest";
import { helpText } from "../../src/lifecycle/command-help.ts";
import { COMMAND_NAMES } from "../../src/lifecycle/command-names.ts";
import {
  COMMANDS,
  commandsToAnswer,
  decideCommand,
  type ParsedCommand,
  policyCommands,
  readCommands,
} from "../../src/lifecycle/commands.ts";
import type { Evaluation, Hold } from "../../src/lifecycle/evaluation/evaluation.ts";
import type { Actor } from "../../src/lifecycle/facts/facts.ts";
import { isOutsider } from "../../src/lifecycle/outsiders.ts";
import {
  alice,
  bob,
  evaluationOf,
  labeled,
  lead,
  minute,
  openedThen,
  outsider,
  permissions,
  rex,
  tess,
} from "./builders.ts";
import { policyOf } from "./policies.ts";

const POLICY = policyOf(`operators: [lead]
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, owner: "tess[bot]", enter: { label: to-b }, back: { when: { any: [{ command: redo }, { command: { name: stop, by: bob } }] }, to: a } }
  - { name: c, when: { not: { command: { name: skip, by: alice } } }, enter: { command: ship } }
`);
const inB = evaluationOf(openedThen(labeled(1, "to-b", alice)), POLICY);
const inA = evaluationOf(openedThen(), POLICY);
const hold = (why: Hold["why"]): Hold => ({ why, at: minute(1), by: alice, reason: "" });
const stranger: Actor = { kind: "user", id: 999, login: "stranger" };

function decide(line: string, actor: Actor, evaluation: Evaluation = inB, policy = POLICY) {
  const [command] = readCommands(line).commands;
  if (command === undefined) throw new Error(`${line} is no command.`);
  return decideCommand({ command, actor, evaluation, policy, permissions });
}
const answer = (line: string, actor: Actor, evaluation: Evaluation = inB): string => {
  const decided = decide(line, actor, evaluation);
  return decided.allowed ? "allowed" : decided.reason;
};

describe("whether a command is obeyed", () => {
  it.each<[string, Actor, string]>([
    ["/stage back", alice, "allowed"],
    ["/stage back", tess, "allowed"],
    ["/stage back", rex, "rex[bot] is an app, and apps have no permission level: name it in `by`"],
    ["/stage back", outsider, "outsider has no write permission"],
    ["/stage hold", tess, "tess[bot] is an app, and apps have no permission level: name it in `by`"],
    ["/stage unhold", alice, "it is not on hold"],
    ["/stage retry", alice, "allowed"],
    ["/stage to b", alice, "it is in b already"],
    ["/stage to a", alice, "allowed"],
    ["/stage to c", alice, "alice may not move it past conditions that do not hold: lead may"],
    ["/stage to c", lead, "allowed"],
    ["/stage to d", lead, 'there is no stage "d" here: expected a, b or c'],
    ["/stage to nowhere", lead, 'there is no stage "nowhere" here: expected a, b or c'],
    ["/stage hold --repository", alice, "alice does not maintain the repository; lead may"],
    ["/stage hold --repository", lead, "allowed"],
    ["/stage unhold --repository", lead, "allowed"],
    ["/stage sing", lead, 'there is no command "sing"'],
    ["/redo", alice, "allowed"],
    ["/redo", tess, "allowed"],
    ["/redo", outsider, "outsider has no write permission"],
    ["/stop", bob, "allowed"],
    ["/stop", alice, "alice is not bob"],
    ["/stop", tess, "tess[bot] is not bob"],
    ["/skip", alice, "allowed"],
    ["/ship", bob, "allowed"],
    ["/ship", tess, "tess[bot] is an app, and apps have no permission level: name it in `by`"],
    ["/whatever", outsider, "allowed"],
  ])("%s by %o: %s", (line, actor, expected) => {
    expect(answer(line, actor)).toBe(expected);
  });

  it.each<[string, Partial<Evaluation>, string]>([
    ["/stage back", { stage: "a" }, "a is its first stage"],
    ["/stage back", { stage: null, inactive: "closed" }, "it is in no stage: the pull request is closed"],
    ["/stage unhold", { held: hold("command") }, "allowed"],
    ["/stage unhold", { held: hold("max_rounds") }, "allowed"],
    [
      "/stage unhold",
      { held: hold("repository") },
      "the whole repository is on hold, not this pull request alone: /stage unhold --repository",
    ],
    ["/stage to a", { inactive: "closed" }, "it is in no stage: the pull request is closed"],
    ["/stage to a", { inactive: "opted_out" }, "it is in no stage: a label opts it out"],
    ["/stage to a", { inactive: "unknown" }, "it is in no stage: nothing is known of it yet"],
    ["/stage to a", { inactive: "draft" }, "allowed"],
  ])("%s where it is %o: %s", (line, overrides, expected) => {
    expect(answer(line, lead, { ...inB, ...overrides })).toBe(expected);
  });

  it("an operator may though he has no write permission, be he a person or an app", () => {
    for (const [actor, name] of [
      [outsider, "outsider"],
      [rex, "rex[bot]"],
    ] as const) {
      const policy = { ...POLICY, operators: [name] };
      const may = ["/stage hold", "/stage back", "/stage to c", "/stage hold --repository"].map(
        (line) => decide(line, actor, inB, policy).allowed,
      );
      expect(may).toEqual([true, true, true, true]);
    }
  });

  it("an operator moves it from no stage to the first", () => {
    const nowhere = { ...inA, stage: null, stages: inA.stages.map((stage) => ({ ...stage, reached: false })) };
    expect([answer("/stage to a", lead, nowhere), answer("/stage to a", alice, nowhere)]).toEqual([
      "allowed",
      "alice may not move it past conditions that do not hold: lead may",
    ]);
  });

  it("what is not known is asked for", () => {
    const asked = (line: string, evaluation = inB, policy = POLICY) => {
      const decided = decide(line, stranger, evaluation, policy);
      return decided.allowed ? [] : decided.lookups.map(({ kind }) => kind);
    };
    const teams = { ...POLICY, operators: ["@org/leads"] };
    expect(asked("/stage hold", inB, teams)).toEqual(["team", "permission"]);
    expect(
      asked("/stage back", inB, { ...teams, stages: teams.stages.map((stage) => ({ ...stage, owner: "@org/qa" })) }),
    ).toEqual(["team", "permission", "team"]);
    expect(asked("/stage hold --repository", inB, teams)).toEqual(["team", "permission"]);
    expect(asked("/redo")).toEqual(["permission"]);
    const writer = decide("/stage to c", alice, inB, { ...POLICY, operators: ["@org/new"] });
    expect(writer).toMatchObject({ allowed: false, lookups: [{ kind: "team" }] });
    expect(decide("/stage to c", alice, inB, { ...POLICY, operators: [] })).toMatchObject({
      reason: expect.stringContaining("the policy names no operators"),
      lookups: [],
    });
  });
});

describe("an outsider", () => {
  it.each<[Actor, boolean]>([
    [outsider, true],
    [alice, false],
    [lead, false],
    [tess, false],
    [rex, true],
  ])("%o: %s", (actor, is) => {
    expect(isOutsider({ actor, policy: POLICY, permissions })).toEqual({ outsider: is, lookups: [] });
  });

  it("is nobody as long as that is not known", () => {
    expect(isOutsider({ actor: stranger, policy: POLICY, permissions })).toEqual({
      outsider: false,
      lookups: [{ kind: "permission", actor: stranger }],
    });
  });
});

it("acts are those on which it depends where it is", () => {
  expect(COMMAND_NAMES.filter((name) => COMMANDS[name].isAct)).toEqual(["to", "back", "retry", "hold", "unhold"]);
});

describe("a comment", () => {
  const kinds = (commands: readonly ParsedCommand[]): string[] =>
    commands.map((command) => ("name" in command ? command.name : command.kind));

  it("gives the policy's commands wherever the policy waits for them", () => {
    expect(policyCommands(POLICY)).toEqual(["redo", "stop", "ship", "skip"]);
    expect(kinds(commandsToAnswer(readCommands("/redo\n/skip\n/other\n/stage hold"), POLICY))).toEqual([
      "redo",
      "skip",
      "hold",
    ]);
  });

  it("gives twenty words for others and five of ours, whatever stands between", () => {
    const words = (count: number) => Array.from({ length: count }, (_, n) => `/w${n}`).join("\n");
    expect(readCommands(words(20)).surplus).toEqual([]);
    expect(readCommands(words(22)).surplus.map(({ line }) => line)).toEqual(["/w20", "/w21"]);
    expect(readCommands("/stage hold\n".repeat(5)).surplus).toEqual([]);
    const mixed = readCommands(`${"/stage hold\n".repeat(6)}${words(21)}`);
    expect([mixed.commands.length, mixed.surplus.length]).toEqual([25, 2]);
    expect(
      commandsToAnswer(readCommands(`${"/stage hold\n".repeat(5)}/stage x\n/stage back\n/stage help`), POLICY).at(-1),
    ).toEqual({ kind: "surplus", written: "/stage x", more: 2 });
  });

  it("is read as far as GitHub takes one, and its arguments to their bound", () => {
    expect(readCommands(`${"x\n".repeat(32_768)}/stage hold`).commands).toEqual([]);
    expect(readCommands(`${"x\n".repeat(32_000)}/stage hold`).commands).toHaveLength(1);
    const [to] = readCommands(`/stage to ${"y".repeat(300)}`).commands;
    expect(to).toMatchObject({ argument: "y".repeat(200) });
    expect(readCommands(`/${"y".repeat(40)} z`).commands).toEqual([
      { kind: "policy", name: "y".repeat(40), argument: "z" },
    ]);
    expect(readCommands(`/${"y".repeat(41)}`).commands).toEqual([]);
    expect(readCommands(`/stage ${"y".repeat(60)}`).commands).toEqual([
      { kind: "unknown", word: "y".repeat(40), suggestion: "" },
    ]);
    expect(readCommands(`/stage hold --${"y".repeat(60)}`).commands).toMatchObject([
      { word: `hold --${"y".repeat(33)}` },
    ]);
    expect(readCommands(`/stage hold --${"y".repeat(33)}`).commands).toMatchObject([
      { word: `hold --${"y".repeat(33)}` },
    ]);
    expect(readCommands("see this\n- stage\nxstage hold").commands).toEqual([]);
    expect(readCommands("/Ship-It Now").commands).toEqual([{ kind: "policy", name: "ship-it", argument: "Now" }]);
    expect(readCommands("/stage to --repository\n/stage status --x").commands).toEqual([
      { kind: "stage", name: "to", argument: "--repository" },
      { kind: "stage", name: "status", argument: "--x" },
    ]);
  });
});

it("help says of each command who may give it", () => {
  const rows = helpText(POLICY).split("\n");
  expect(rows[0]).toBe("| Command | | Who |");
  expect(rows.filter((row) => row.endsWith("| anyone |")).map((row) => /`(.*?)`/.exec(row)?.[1])).toEqual([
    "/stage status",
    "/stage help",
  ]);
  expect(rows.filter((row) => row.endsWith("| as the policy says |"))).toHaveLength(4);
});
