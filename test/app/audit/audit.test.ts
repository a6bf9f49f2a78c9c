/** Who did what, as the log tells it. */
import { globSync, readFileSync } from "node:fs";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { AUDIT_EVENTS } from "../../../app/audit/audit.ts";
import { addComment, asUser, submitReview } from "../../../src/sandbox/world/index.ts";
import type { House } from "../house.ts";
import { openPolicyHouse } from "../policy-house.ts";

let house: House | undefined;
afterEach(async () => {
  await house?.close();
  house = undefined;
});

const POLICY = `version: 1
operators: [cleo]
stages:
  - { name: open, enter: { draft: false } }
  - { name: ready, enter: { label: go } }
  - { name: approved, enter: { approvals: 1 } }
`;

it("each deed is one line with a stable name, who did it and to what, and nothing that people wrote", async () => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => lines.push(JSON.parse(line)) });
  house = await openPolicyHouse(POLICY, { oneClock: true, log });
  const { sandbox, cleo, tess, mallory } = house;
  const pull = house.open({ title: "a title of theirs" });
  await house.settled();
  const say = async (by: typeof cleo, body: string) => {
    house?.later();
    addComment(sandbox.world, asUser(by), pull, body);
    await house?.settled();
  };
  await say(cleo, "/stage hold a reason of theirs");
  await say(mallory, "/stage unhold");
  await say(cleo, "/stage unhold");
  await say(cleo, "/stage to approved");
  await say(cleo, "/stage to a-stage-of-theirs");
  await say(cleo, "/stage back");
  await say(cleo, "/stage retry");
  await say(cleo, "/stage hold --repository a reason of theirs");
  await say(cleo, "/stage unhold --repository");
  house.later();
  submitReview(sandbox.world, asUser(tess), pull, { state: "APPROVED", body: "a review of theirs" });
  await house.settled();

  const audited = lines.filter((line) => "audit" in line);
  const who = (account: typeof cleo) => ({ kind: "user", id: account.id, login: account.login });
  const about = { repository: "acme/widget", pull: pull.number };
  const found = (event: string) => audited.filter(({ audit }) => audit === event);
  for (const [event, details] of [
    ["pull.moved", { ...about, from: null, to: "open", by: who(house.rex) }],
    ["pull.held", { ...about, by: who(cleo) }],
    ["command.refused", { ...about, by: who(mallory), command: "unhold" }],
    ["pull.released", { ...about, by: who(cleo) }],
    ["pull.overridden", { ...about, by: who(cleo), from: "open", to: "approved" }],
    ["pull.moved", { ...about, from: "ready", to: "approved", by: who(cleo) }],
    ["pull.sent_back", { ...about, by: who(cleo), from: "approved", to: "ready" }],
    ["pull.retried", { ...about, by: who(cleo) }],
    ["repository.held", { ...about, by: who(cleo) }],
    ["repository.released", { ...about, by: who(cleo) }],
    ["review.given", { ...about, by: who(tess), state: "approved", sha: pull.head.sha }],
    ["policy.in_force", { repository: "acme/widget", by: null }],
  ] as const) {
    expect(found(event), event).toContainEqual(expect.objectContaining(details));
  }
  expect(found("pull.held")).toHaveLength(1);
  expect(JSON.stringify(audited)).not.toMatch(/of.theirs/u);
  for (const { msg, level, audit } of audited) {
    expect({ msg, level }).toEqual({ msg: "audit", level: 30 });
    expect(Object.keys(AUDIT_EVENTS)).toContain(audit);
  }
});

describe("each name of the audit", () => {
  const source = globSync("app/**/*.ts", { exclude: ["app/audit/**"] })
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  const docs = readFileSync("docs/operate.md", "utf8");

  it.each(Object.keys(AUDIT_EVENTS))("%s is written somewhere, and documented", (event) => {
    expect(source).toContain(`"${event}"`);
    expect(docs).toContain(`\`${event}\``);
  });
});
