/** The rules of where a pull request is, one by one. */
import { describe, expect, test } from "vitest";
import type { ActWithoutId, Change } from "../../../src/lifecycle/facts/change.ts";
import type { Actor } from "../../../src/lifecycle/facts/facts.ts";
import { record } from "../../../src/lifecycle/facts/record.ts";
import {
  alice,
  bob,
  check,
  checked,
  comment,
  did,
  dismissed,
  evaluationOf,
  history,
  labeled,
  lead,
  minute,
  opened,
  openedThen,
  outsider,
  pull,
  pushed,
  review,
  rex,
  state,
  unlabeled,
} from "../builders.ts";
import { policyOf } from "../policies.ts";

/** Four stages, each by a label of its own. */
const labels = policyOf(`
operators: [lead]
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: to-b } }
  - { name: c, enter: { label: to-c } }
  - { name: d, enter: { label: to-d } }
on_push: b
`);

const drafted = (n: number, by: Actor = alice): ActWithoutId => ({ kind: "drafted", at: minute(n), by });
const readied = (n: number, by: Actor = alice): ActWithoutId => ({ kind: "readied", at: minute(n), by });
const closed = (n: number): ActWithoutId => ({ kind: "closed", at: minute(n), by: alice, merged: false });
const reopened = (n: number): ActWithoutId => ({ kind: "reopened", at: minute(n), by: alice });
const rebased = (n: number): ActWithoutId => ({
  kind: "base_changed",
  at: minute(n),
  by: alice,
  from: "main",
  to: "next",
});

function entries(...deeds: ActWithoutId[]): Record<string, number> {
  const result = evaluationOf(openedThen(...deeds), labels);
  return Object.fromEntries(result.entries.map((entry) => [entry.stage, (entry.at - minute(0)) / 60_000]));
}

function stage(...deeds: ActWithoutId[]): string | null {
  return evaluationOf(openedThen(...deeds), labels).stage;
}

const toC = [labeled(1, "to-b", alice), labeled(2, "to-c", alice)];
const toD = [...toC, labeled(3, "to-d", alice)];

test("it is in the longest prefix of stages whose conditions hold: none is skipped", () => {
  expect(stage(labeled(1, "to-c", alice))).toBe("a");
  expect(stage(labeled(1, "to-b", alice), labeled(1, "to-d", alice))).toBe("b");
});

test("several steps may be taken at once", () => {
  expect(entries(labeled(5, "to-d", alice), labeled(5, "to-c", alice), labeled(5, "to-b", alice))).toEqual({
    a: 0,
    b: 5,
    c: 5,
    d: 5,
  });
});

test("an act of the same second as the entry before counts; an earlier one does not", () => {
  expect(stage(labeled(5, "to-b", alice), labeled(5, "to-c", alice))).toBe("c");
  expect(stage(labeled(5, "to-b", alice), labeled(4, "to-c", alice))).toBe("b");
});

test("a withdrawn act moves it back as far as it carried it", () => {
  expect(stage(...toD, unlabeled(9, "to-d", bob))).toBe("c");
  expect(stage(...toD, unlabeled(9, "to-c", bob))).toBe("b");
  expect(stage(...toD, unlabeled(9, "to-b", bob))).toBe("a");
});

test("a withdrawn act that is given again dates the entry anew, so later stages must be given again, too", () => {
  expect(entries(...toD, unlabeled(9, "to-b", bob), labeled(10, "to-b", bob))).toEqual({ a: 0, b: 10 });
});

test("a push resets what belongs to later stages than the one it moves back to", () => {
  expect(entries(...toD, pushed(9, "aaaaaaa1", "bbbbbbb2", rex))).toEqual({ a: 0, b: 1 });
  expect(evaluationOf(openedThen(...toD, pushed(9, "aaaaaaa1", "bbbbbbb2", rex)), labels).since).toBe(minute(9));
});

test("a push in an earlier stage moves nothing", () => {
  expect(stage(labeled(1, "to-b", alice), pushed(9, "aaaaaaa1", "bbbbbbb2", rex))).toBe("b");
});

test("an act of the same second as a reset does not count", () => {
  expect(stage(labeled(1, "to-b", alice), labeled(9, "to-c", alice), pushed(9, "aaaaaaa1", "bbbbbbb2", rex))).toBe("b");
  expect(stage(labeled(1, "to-b", alice), labeled(10, "to-c", alice), pushed(9, "aaaaaaa1", "bbbbbbb2", rex))).toBe(
    "c",
  );
});

test("`back_to: false`: a push moves nothing back, but reviews stay with their commit", () => {
  const policy = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: to-b } }
  - { name: c, enter: { approvals: 1 } }
on_push: { back_to: false }
`);
  const facts = openedThen(
    labeled(1, "to-b", alice),
    review(2, bob, "approved"),
    pushed(9, "aaaaaaa1", "bbbbbbb2", rex),
  );
  expect(evaluationOf(facts, policy).stage).toBe("b");
});

test("a changed base counts as a push", () => {
  expect(stage(...toD, rebased(9))).toBe("b");
});

test("a draft is in no stage; made ready again, everything later must be given anew", () => {
  expect(evaluationOf(openedThen(...toD, drafted(9)), labels)).toMatchObject({ stage: null, inactive: "draft" });
  expect(entries(...toD, drafted(9), readied(10))).toEqual({ a: 0 });
  expect(entries(...toD, drafted(9), readied(10), labeled(11, "to-b", alice))).toEqual({ a: 0, b: 11 });
});

test("what is given while it is a draft counts once it is ready", () => {
  const facts = history(opened({ draft: true }), did(labeled(1, "to-b", alice), readied(2)));
  expect(evaluationOf(facts, labels).stage).toBe("b");
});

test("closed, it is in no stage; reopened, everything must be given anew", () => {
  expect(evaluationOf(openedThen(...toD, closed(9)), labels)).toMatchObject({ stage: null, inactive: "closed" });
  expect(entries(...toD, closed(9), reopened(10))).toEqual({ a: 0 });
});

test("the opt-out label takes it out, and off again puts it where it was", () => {
  const out = labeled(9, "Stagewright/Off", outsider);
  expect(evaluationOf(openedThen(...toD, out), labels)).toMatchObject({
    stage: null,
    inactive: "opted_out",
    missing: null,
  });
  expect(stage(...toD, out, unlabeled(10, "stagewright/off", outsider))).toBe("d");
});

test("a state only gates: it has no date, and gives the stage after it none", () => {
  const policy = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: to-b } }
  - { name: c, enter: { checks: [build] } }
`);
  const facts = history(opened(), did(labeled(3, "to-b", alice)), checked(check(9)));
  expect(evaluationOf(facts, policy).entries.at(-1)).toMatchObject({ stage: "c", at: minute(3), by: null });
});

describe("an operator's move", () => {
  const to = (n: number, name: string, by: Actor = lead) => comment(n, by, "to", name);

  test("forward stands for all conditions up to that stage", () => {
    const result = evaluationOf(openedThen(to(5, "c")), labels);
    expect(result.stage).toBe("c");
    expect(result.entries.at(-1)).toMatchObject({
      at: minute(5),
      by: lead,
      reason: "lead, an operator, moved it to c",
    });
    expect(result.stages[2]?.result).toMatchObject({ condition: "override", holds: true });
    expect(result.stages[2]?.result.children).toHaveLength(1);
  });

  test("forward is for operators alone", () => {
    expect(stage(to(5, "c", alice))).toBe("a");
    expect(stage(to(5, "c", outsider))).toBe("a");
  });

  test("does not stand beyond its stage: the next one needs its own", () => {
    expect(stage(to(5, "c"), labeled(4, "to-d", alice))).toBe("c");
    expect(stage(to(5, "c"), labeled(6, "to-d", alice))).toBe("d");
  });

  test("stays in force when the conditions come to hold by themselves later", () => {
    expect(stage(to(5, "c"), labeled(6, "to-b", alice), labeled(7, "to-d", alice))).toBe("d");
  });

  test("ends with the next reset", () => {
    expect(stage(to(5, "d"), pushed(9, "aaaaaaa1", "bbbbbbb2", rex))).toBe("b");
    expect(evaluationOf(openedThen(to(5, "d"), drafted(6), readied(7)), labels).stage).toBe("a");
  });

  test("to an earlier stage is a way back, and undoes what was given for later ones", () => {
    expect(entries(...toD, to(9, "b"))).toEqual({ a: 0, b: 1 });
    const again = [unlabeled(10, "to-c", lead), labeled(11, "to-c", alice)];
    expect(entries(...toD, to(9, "b"), ...again)).toEqual({ a: 0, b: 1, c: 11 });
  });

  test("by hand, with the stage's label, is the same", () => {
    expect(stage(labeled(5, "stage/c", lead))).toBe("c");
    expect(stage(labeled(5, "stage/c", alice))).toBe("a");
  });

  test("to a stage that does not exist moves nothing", () => {
    expect(stage(...toC, to(5, "nowhere"))).toBe("c");
  });
});

describe("/stage back and /stage to an earlier stage", () => {
  test("move it back for those with write permission", () => {
    expect(stage(...toD, comment(9, alice, "back"))).toBe("c");
    expect(stage(...toD, comment(9, alice, "to", "a"))).toBe("a");
    expect(evaluationOf(openedThen(...toD, comment(9, alice, "back")), labels)).toMatchObject({
      rounds: 1,
      since: minute(9),
    });
  });

  test("do nothing for others", () => {
    expect(stage(...toD, comment(9, outsider, "back"))).toBe("d");
    expect(stage(...toD, comment(9, outsider, "to", "a"))).toBe("d");
  });

  test("mean the stage of then, not of now", () => {
    expect(stage(...toC, comment(5, alice, "back"), unlabeled(6, "to-c", lead), labeled(7, "to-c", alice))).toBe("c");
  });

  test("twice move it back by two", () => {
    expect(stage(...toD, comment(9, alice, "back"), comment(10, alice, "back"))).toBe("b");
  });

  test("mean the stage that was shown, where a state held it before the one that acts alone lead to", () => {
    const policy = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: to-b } }
  - { name: c, enter: { label: to-c, checks: [build] } }
`);
    const facts = openedThen(...toC, comment(9, alice, "back", "b"));
    expect(evaluationOf(facts, policy).stage).toBe("a");
  });

  test("in the first stage do nothing", () => {
    expect(evaluationOf(openedThen(comment(9, alice, "back")), labels)).toMatchObject({
      stage: "a",
      rounds: 0,
      resets: [],
    });
  });
});

describe("on hold", () => {
  const hold = comment(2, alice, "hold", "wait for the release");

  test("it goes no further, and says why", () => {
    const result = evaluationOf(openedThen(labeled(1, "to-b", alice), hold, labeled(3, "to-c", alice)), labels);
    expect(result).toMatchObject({ stage: "b", held: { why: "command", by: alice, reason: "wait for the release" } });
    expect(result.missing).toEqual({ stage: "c", summary: "on hold by alice: wait for the release" });
  });

  test("what it loses it loses", () => {
    expect(stage(labeled(1, "to-b", alice), hold, unlabeled(3, "to-b", bob))).toBe("a");
  });

  test("off hold, what was given meanwhile counts with its own date", () => {
    const deeds = [labeled(1, "to-b", alice), hold, labeled(3, "to-c", alice), comment(9, bob, "unhold")];
    expect(entries(...deeds)).toEqual({ a: 0, b: 1, c: 3 });
  });

  test("is not for outsiders, to set or to end", () => {
    expect(stage(...toC, comment(0, outsider, "hold"))).toBe("c");
    expect(stage(labeled(1, "to-b", alice), hold, labeled(3, "to-c", alice), comment(4, outsider, "unhold"))).toBe("b");
  });
});

describe("a back rule", () => {
  const policy = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: to-b }, back: { when: { label: { name: broken, by: alice } }, to: a } }
  - { name: c, enter: { label: to-c, checks: [build] }, back: { when: changes_requested, to: b } }
`);
  const where = (...changes: Change[]) => evaluationOf(history(opened(), ...changes), policy);

  test("looks only at acts newer than the entry into its stage", () => {
    expect(where(did(labeled(1, "broken", alice), labeled(2, "to-b", alice))).stage).toBe("b");
    expect(where(did(labeled(2, "to-b", alice), labeled(3, "broken", alice))).stage).toBe("a");
  });

  test("fires once for one act", () => {
    const again = did(
      labeled(2, "to-b", alice),
      labeled(3, "broken", alice),
      unlabeled(4, "to-b", bob),
      labeled(5, "to-b", bob),
    );
    expect(where(again)).toMatchObject({ stage: "b", rounds: 1 });
  });

  test("of the stage it was sent back to does not fire for the same act", () => {
    const cascade = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: to-b }, back: { when: changes_requested, to: a } }
  - { name: c, enter: { label: to-c }, back: { when: changes_requested, to: b } }
`);
    const facts = openedThen(labeled(1, "to-b", alice), labeled(2, "to-c", alice), review(3, bob, "changes_requested"));
    expect(evaluationOf(facts, cascade)).toMatchObject({ stage: "b", rounds: 1 });
  });

  test("is asked as often as there are reviews, and not for each of all of them", () => {
    const rule = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { approvals: 1 }, back: { when: changes_requested, to: a } }
`);
    const reads = (count: number, by: Actor): number => {
      const facts = openedThen(
        ...Array.from({ length: count }, (_, n) => review(n, by, n % 2 ? "approved" : "changes_requested")),
      );
      let read = 0;
      const counted = new Proxy(by, {
        get: (target, key) => {
          read += key === "kind" ? 1 : 0;
          return Reflect.get(target, key);
        },
      });
      evaluationOf(
        { ...facts, acts: facts.acts.map((act) => (act.kind === "review" ? { ...act, by: counted } : act)) },
        rule,
      );
      return read;
    };
    // Ten times the reviews are read ten times as often, not a hundred times.
    expect(reads(1_000, outsider)).toBeLessThan(11 * reads(100, outsider));
    expect(reads(1_000, bob)).toBeLessThan(11 * reads(100, bob));
  });

  test("needs its names, as every condition does", () => {
    expect(where(did(labeled(2, "to-b", alice), labeled(3, "broken", bob))).stage).toBe("b");
  });

  test("holds in the stages after its own, too, whatever a state says of these", () => {
    const acts = did(labeled(1, "to-b", alice), labeled(2, "to-c", alice), labeled(5, "broken", alice));
    for (const checks of [checked(check(3)), checked(check(3), check(6, { conclusion: "failure" })), checked()]) {
      expect(where(acts, checks)).toMatchObject({ stage: "a", rounds: 1 });
    }
  });

  test("counts as a round for good, though the label that led to its stage is taken off with it", () => {
    const either = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: to-b } }
  - { name: c, enter: { any: [{ label: to-c }, { checks: [build] }] }, back: { when: changes_requested, to: a } }
`);
    const sent = openedThen(labeled(1, "to-b", alice), review(3, bob, "changes_requested"));
    const green = record(sent, checked(check(2)));
    expect(evaluationOf(green, either)).toMatchObject({ stage: "a", rounds: 1 });
    const cleared = record(green, did(unlabeled(4, "to-b", bob)));
    expect(evaluationOf(cleared, either)).toMatchObject({ stage: "a", rounds: 1 });
  });

  test("fires for the same acts whether a check was red for a while or not", () => {
    const acts = did(labeled(1, "to-b", alice), labeled(2, "to-c", alice), review(5, bob, "changes_requested"));
    expect(where(acts, checked(check(9))).stage).toBe("b");
  });

  test("that was fired by a review stays fired when the review is dismissed", () => {
    const acts = [
      labeled(1, "to-b", alice),
      labeled(2, "to-c", alice),
      review(5, bob, "changes_requested", "aaaaaaa1", 1),
    ];
    expect(where(did(...acts, dismissed(6, bob, 1)), checked(check(1))).stage).toBe("b");
  });
});

test("a policy that leaves out a stage for this pull request moves resets to the stage before it", () => {
  const policy = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: db, when: { paths: "db/**" }, enter: { label: db-ok } }
  - { name: c, enter: { label: to-c } }
on_push: db
`);
  const files: Change = { pull, kind: "files", sha: "bbbbbbb2", baseRef: "main", files: ["src/a.ts"] };
  const facts = history(opened(), did(labeled(1, "to-c", alice), pushed(5, "aaaaaaa1", "bbbbbbb2", rex)), files);
  expect(evaluationOf(facts, policy).stage).toBe("a");
});

test("a reset that the app wrote itself counts like one that follows from an act", () => {
  const reset: Change = {
    pull,
    kind: "reset",
    reset: { id: "button:1", stage: "b", head: "aaaaaaa1", at: minute(9), by: alice, why: "back", note: "by a button" },
  };
  expect(evaluationOf(history(opened(), did(...toD), reset), labels).stage).toBe("b");
});

test("a renamed repository and a new title are states like any other", () => {
  const renamed = { ...pull.repository, name: "renamed" };
  const change: Change = {
    pull,
    kind: "observed",
    state: state({ repository: renamed, title: "Other", updatedAt: minute(5) }),
    acts: [],
  };
  const facts = history(opened(), change, opened());
  expect(facts).toMatchObject({ title: "Other", repository: renamed });
});
