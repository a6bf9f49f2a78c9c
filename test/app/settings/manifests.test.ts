/** The two manifests ask for what the code needs, and for nothing else. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { EVENTS_ALWAYS_SENT, EVENTS_READ } from "../../../src/github/webhooks/webhook.ts";
import { ACTIONS } from "../../../src/lifecycle/actions/index.ts";
import { ACTION_EVENTS, CONDITION_NEEDS } from "../../../src/lifecycle/policy/requirements.ts";

const read = (file: string) =>
  z
    .object({ default_events: z.array(z.string()), default_permissions: z.record(z.string(), z.string()) })
    .parse(parse(readFileSync(`app/${file}`, "utf8")));
const minimal = read("app.yml");
const full = read("app-full.yml");
const heard = EVENTS_READ.filter((name) => !EVENTS_ALWAYS_SENT.includes(name)).toSorted();
const forConditions = Object.values(CONDITION_NEEDS).flatMap((needs) => needs?.events ?? []);
const forActionsAlone = Object.values(ACTION_EVENTS)
  .flat()
  .filter((event) => !forConditions.includes(event));

describe("the full manifest", () => {
  it("lists exactly the events that are read", () => {
    expect(full.default_events.toSorted()).toEqual(heard);
  });

  it("adds to the minimal one what the policy's actions need, and nothing else", () => {
    const expected: Record<string, string> = { ...minimal.default_permissions };
    for (const { requiredPermissions: needs } of Object.values(ACTIONS)) {
      for (const [permission, level] of Object.entries(needs)) {
        expected[permission] = level === "write" ? "write" : (expected[permission] ?? level);
      }
    }
    expect(full.default_permissions).toEqual(expected);
  });
});

describe("the minimal manifest", () => {
  it("lists the events that are read, less those that only optional actions wait for", () => {
    expect(forActionsAlone).toEqual(["deployment_protection_rule"]);
    expect(minimal.default_events.toSorted()).toEqual(heard.filter((event) => !forActionsAlone.includes(event)));
  });

  it("asks for what the events and the writes of every policy need, and nothing else", () => {
    expect(minimal.default_permissions).toEqual({
      actions: "read",
      checks: "write",
      contents: "read",
      issues: "read",
      members: "read",
      merge_queues: "read",
      metadata: "read",
      pull_requests: "write",
      statuses: "read",
    });
  });
});
