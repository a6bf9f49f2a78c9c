import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readInputs } from "../../src/action/input/inputs.ts";
import { INPUTS, inputVariable, OUTPUTS } from "../../src/action/input/io.ts";

const metadata = parse(readFileSync("action.yml", "utf8"));

describe("the action's contract", () => {
  it("has the inputs of action.yml and no others, with the same words and defaults", () => {
    const declared = Object.fromEntries(
      Object.entries(INPUTS).map(([name, { description, required, default: value }]) => [
        name,
        value === "" ? { description, required } : { description, required, default: value },
      ]),
    );
    expect(metadata.inputs).toEqual(declared);
  });

  it("has the outputs of action.yml and no others", () => {
    expect(metadata.outputs).toEqual(OUTPUTS);
  });

  it("runs its post step always, told apart by its file", () => {
    expect(metadata.runs).toEqual({
      using: "node24",
      main: "dist/index.js",
      post: "dist/post.js",
      "post-if": "always()",
    });
  });
});

describe("reading inputs", () => {
  const env = (given: Record<string, string>) =>
    Object.fromEntries(Object.entries(given).map(([name, value]) => [inputVariable(name), value]));
  const read = (given: Record<string, string>) => {
    const result = readInputs(env({ plan: "p.yml", ...given }));
    if ("problems" in result) throw new Error(result.problems.join("\n"));
    return result.inputs;
  };
  const problems = (given: Record<string, string>) => {
    const result = readInputs(env(given));
    return "problems" in result ? result.problems : [];
  };

  it("takes resume for true or false alone, and a state file for a path", () => {
    expect(read({ resume: "true", "state-file": " s.json " })).toMatchObject({ resume: true, stateFile: "s.json" });
    expect(read({ resume: "false" })).toMatchObject({ resume: false, stateFile: null });
    expect(problems({ plan: "p.yml", resume: "epoch-2" })).toEqual(['resume: expected true or false, got "epoch-2"']);
  });

  it("takes a missing optional input for its default", () => {
    expect(readInputs({ INPUT_PLAN: "p.yml" })).toEqual({
      inputs: {
        plan: "p.yml",
        params: {},
        onlyStages: [],
        stopAfterStage: null,
        skipStages: [],
        resume: false,
        stateFile: null,
        agentName: null,
        agentIndex: 0,
        agentCount: null,
        coordinator: "",
        group: null,
        role: null,
        listen: null,
        advertise: null,
        failFast: null,
        maxParallel: null,
        report: "auto",
        reportOutput: "tail",
        secrets: [],
        githubToken: "",
      },
    });
  });

  it("takes an empty input for its default", () => {
    const empty = Object.fromEntries(Object.keys(INPUTS).map((name) => [name, ""]));
    expect(read({ ...empty, plan: "p.yml" })).toEqual(read({}));
  });

  it("reads params line by line; a value may hold equals signs", () => {
    expect(read({ params: "\n epochs = 3 \nurl=http://x/?a=b\r\nempty=\n" }).params).toEqual({
      epochs: "3",
      url: "http://x/?a=b",
      empty: "",
    });
  });

  it("keeps a param named like a built-in property", () => {
    expect(Object.entries(read({ params: "__proto__=1\nconstructor=2" }).params)).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
    ]);
  });

  it("splits stages at commas and lines", () => {
    expect(read({ "skip-stages": "prepare, 3\n cleanup," }).skipStages).toEqual(["prepare", "3", "cleanup"]);
  });

  it.each(["only-stage", "skip-stages"])("refuses %s without any stage in it, but takes an empty one", (name) => {
    const given = (value: string) => problems({ plan: "p.yml", [name]: value });
    const said = `${name}: expected names or numbers of stages, separated by commas, got `;
    expect([",", " , \n ,"].map(given)).toEqual([[`${said}","`], [`${said}", \\n ,"`]]);
    expect(["", "  ", "a,", "\na,\nb\n"].map(given)).toEqual([[], [], [], []]);
  });

  it("takes fail-fast as GitHub's expressions give it, and nothing else for it", () => {
    expect(["true", "false", " true ", ""].map((value) => read({ "fail-fast": value }).failFast)).toEqual([
      true,
      false,
      true,
      null,
    ]);
    const wrong = (value: string) => problems({ plan: "p.yml", "fail-fast": value });
    expect(["TRUE", "maybe", "1"].map(wrong)).toEqual([
      ['fail-fast: expected true or false, got "TRUE"'],
      ['fail-fast: expected true or false, got "maybe"'],
      ['fail-fast: expected true or false, got "1"'],
    ]);
  });

  it("says everything that is wrong at once", () => {
    expect(
      problems({
        report: "loud",
        "report-output": "all",
        secrets: "TOKEN, ${{ x }}",
        params: "novalue\na=1\na=2",
        "agent-index": "4",
        "agent-count": "2",
      }),
    ).toEqual([
      "plan: expected the path of a plan file, got nothing",
      'report: expected auto, check or commands, got "loud"',
      'report-output: expected tail or none, got "all"',
      'secrets: expected names of environment variables, separated by commas or lines, got "${{ x }}"',
      "agent-index: 4 is not below agent-count (2); indexes count from 0",
      'params: line 1: expected name=value, got "novalue"',
      'params: line 3: "a" is given twice',
    ]);
  });

  it.each(["-1", "1.5", "x", "1e3", "99999999"])("refuses %j as a number", (value) => {
    expect(problems({ plan: "p", "agent-count": value })).toHaveLength(1);
  });
});
