/** The app's log holds no words, bodies, tokens or secrets, whatever happens and however much it is to say. */
import { createHmac } from "node:crypto";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { boundErrors, errorTold } from "../../app/audit/private-log.ts";
import { addComment, addLabelsByName, asUser, submitReview } from "../../src/sandbox/world/index.ts";
import { openProcessHouse } from "../app/process-house.ts";
import { KEYS } from "../keys.ts";

const SECRET = "qzwebhookcanary-0f2c9b7d1e";
const METRICS_TOKEN = "qzmetricscanary-83ab01c2d4";
const USER_TOKEN = "ghp_qzusertokencanary0123456789";
/** What people write is found by this, whatever is around it. */
const WORDS = "qzwordscanary";
/** A line in the middle of the private key. */
const KEY_LINE = KEYS.privateKey.split("\n")[5] ?? "";

describe.each(["info", "debug"] as const)("the log at level %s", (level) => {
  it("tells what happened, and nothing of what was written or is secret", async () => {
    const house = await openProcessHouse({ LOG_LEVEL: level, WEBHOOK_SECRET: SECRET, METRICS_TOKEN });
    try {
      const { sandbox, cleo, tess, url } = house;
      const { world, faults } = sandbox;
      const say = (body: string) => addComment(world, asUser(cleo), pull, body);
      const ours = () => pull.comments.filter(({ appId }) => appId !== null).length;
      // The first answers to writes are lost, refused or late: errors are told, too.
      faults.place({ kind: "status", match: { operation: "Transitions" }, status: 502, message: "fault", times: 1 });
      const pull = house.open(`${WORDS} in a title`, `${WORDS} in a body`);
      await house.until("it is in its first stage", () => house.labels(pull).includes("stage/pr-created"));
      faults.place({ kind: "status", match: { method: "POST" }, status: 422, message: "fault", times: 2 });
      say(`/stage hold ${WORDS} as a reason`);
      say(`/stage to ${WORDS}-stage`);
      say(`/stage ${WORDS}`);
      await house.until("the commands are answered", () => ours() >= 1);
      say("/stage unhold");
      addLabelsByName(world, asUser(cleo), pull, ["ready-for-qa", `${WORDS}-label`]);
      submitReview(world, asUser(tess), pull, { state: "CHANGES_REQUESTED", body: `${WORDS} in a review` });
      await house.until("it is in its second stage", () => house.labels(pull).includes("stage/ready-for-qa"));

      // Strangers' requests, signed and unsigned, with what must not be told either.
      const body = JSON.stringify({ action: "created", comment: { body: WORDS }, repository: { id: "none" } });
      const signed = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
      for (const [signature, status] of [
        [signed, 202],
        [`sha256=${"0".repeat(64)}`, 400],
      ] as const) {
        const headers = {
          "content-type": "application/json",
          "x-github-event": "issue_comment",
          "x-github-delivery": `d-${status}`,
          "x-hub-signature-256": signature,
        };
        expect((await fetch(`${url}/api/github/webhooks`, { method: "POST", body, headers })).status).toBe(status);
      }
      const authorization = `Bearer ${USER_TOKEN}`;
      const json = { authorization, "content-type": "application/json" };
      const adopted = JSON.stringify({ repository: "acme/widget" });
      await fetch(`${url}/api/adopt`, { method: "POST", body: adopted, headers: json });
      await fetch(`${url}/metrics`, { headers: json });
      await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
      await fetch(`${url}/api/runs/join`, { method: "POST", body: "{}", headers: json });

      const log = house.started.output();
      expect(log).toMatch(/"audit":"pull\.held"/u);
      expect(log).toMatch(/"level":40/u);
      expect(log.includes('"level":20')).toBe(level === "debug");
      // Whoever finds one has the line that tells it.
      const told = (secret: string) => log.split("\n").filter((line) => line.includes(secret));
      for (const secret of [WORDS, SECRET, METRICS_TOKEN, USER_TOKEN, KEY_LINE, "PRIVATE KEY", signed]) {
        expect(told(secret)).toEqual([]);
      }
      // Tokens of installations, of apps and of jobs, as GitHub makes them.
      expect(log.match(/gh[a-z]_[A-Za-z0-9]{10,}|eyJ[\w-]{10,}\.[\w-]+/gu) ?? []).toEqual([]);
    } finally {
      await house.close();
    }
  });
});

describe("an error in the log", () => {
  it("tells kind, message, causes, code and status, and nothing that was hung on it", () => {
    const lines: string[] = [];
    const log = boundErrors(pino({ level: "debug" }, { write: (line: string) => void lines.push(line) }));
    const cause = Object.assign(new Error("no answer"), { code: "ECONNRESET", request: { body: WORDS } });
    const error = Object.assign(new TypeError("could not be asked", { cause }), {
      status: 502,
      request: { body: WORDS, headers: { authorization: `token ${USER_TOKEN}` } },
      response: { data: WORDS },
      variables: { body: WORDS },
    });
    // Also by a log that was made of it.
    log.child({ name: "github" }).warn({ err: error }, "put off");
    log.error(new AggregateError([error], "several"));
    expect(lines.join("")).not.toMatch(new RegExp(`${WORDS}|${USER_TOKEN}`, "u"));
    const [first, second] = lines.map((line) => JSON.parse(line));
    expect(first.err).toMatchObject({ type: "TypeError", message: "could not be asked: no answer", status: 502 });
    expect(first.err.stack).toContain("caused by: Error: no answer");
    expect(second.err.errors).toEqual([expect.objectContaining({ type: "TypeError", status: 502 })]);
    expect(errorTold(cause)).toMatchObject({ code: "ECONNRESET" });
    expect(errorTold("no error")).toBe("no error");
  });
});
