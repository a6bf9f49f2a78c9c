import { createHmac, randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type House, openHouse, SECRET } from "../house.ts";

/** One that hangs is told from one that waits for its turn among all the others on a busy machine. */
const PATIENCE_MS = 50_000;

const payload = z.looseObject({ action: z.string().optional() });
const examples = z
  .array(z.object({ name: z.string(), examples: z.array(payload) }))
  .parse(createRequire(import.meta.url)("@octokit/webhooks-examples/api.github.com/index.json"));
const all = examples.flatMap(({ name, examples: of }) => of.map((each) => ({ name, payload: each })));

describe("GitHub's own example payloads", () => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse();
  });
  afterAll(async () => {
    await house.close();
  });

  const send = async (event: string, body: unknown): Promise<{ status: number; id: string }> => {
    const text = JSON.stringify(body);
    const id = randomUUID();
    const answer = await fetch(`${house.url}/api/github/webhooks`, {
      method: "POST",
      body: text,
      headers: {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": id,
        "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(text).digest("hex")}`,
      },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return { status: answer.status, id };
  };

  it("are the 329 that are known", () => {
    expect(all).toHaveLength(329);
  });

  it("are all taken: none is refused, hangs, or cannot be handled", async () => {
    const answers = await Promise.all(all.map((each) => send(each.name, each.payload)));
    expect(answers.filter((each) => each.status !== 202)).toEqual([]);
    await house.app.engine().inbox.idle();
    const { items } = await house.store.deadDeliveries(100);
    expect(items.map((each) => `${each.event}: ${each.error}`)).toEqual([]);
    expect(await house.store.countDeliveries()).toMatchObject({ pending: 0, dead: 0 });
  });

  it("of pull requests are all remembered as acts of that pull request, whatever their order", async () => {
    const pull = await house.store.pull({ repositoryId: 186853002, number: 2 });
    expect(pull?.facts.acts.map((act) => act.id).sort()).toEqual([
      "closed@1557933678000",
      "drafted@1557933678000",
      "labeled:bug@1557933635000",
      "opened",
      "pushed:ec26c3e57ca3a959ca5aad62de7213c562f8c821@1557933633000",
      "readied@1557933678000",
      "reopened@1557933633000",
      "review:237895671",
      "review_dismissed:237895671",
      "unlabeled:bug@1557933636000",
    ]);
    expect(pull?.facts).toMatchObject({
      number: 2,
      state: "closed",
      title: "Update the README with new information.",
      author: { kind: "user", login: "Codertocat", id: 21031067 },
      repository: { owner: "Codertocat", name: "Hello-World" },
    });
  });

  const ofPulls = all
    .filter((each) => each.name === "pull_request" || each.name === "pull_request_review")
    .map((each, index) => ({ ...each, number: 1_000 + index, action: each.payload.action ?? "" }));
  const shape = z.looseObject({
    pull_request: z.looseObject({
      state: z.string(),
      draft: z.boolean().optional(),
      merged_at: z.string().nullable().optional(),
      updated_at: z.string(),
      body: z.string().nullable().optional(),
      labels: z.array(z.looseObject({ name: z.string() })),
      head: z.looseObject({ sha: z.string(), ref: z.string() }),
      base: z.looseObject({ ref: z.string() }),
    }),
  });
  const ACTS: Readonly<Record<string, string>> = {
    opened: "opened",
    labeled: "labeled",
    unlabeled: "unlabeled",
    synchronize: "pushed",
    converted_to_draft: "drafted",
    ready_for_review: "readied",
    closed: "closed",
    reopened: "reopened",
    submitted: "review",
    dismissed: "review_dismissed",
  };

  it.each(ofPulls)("$name $action ($number) alone gives the pull request that it describes", async (example) => {
    const { pull_request: told } = shape.parse(example.payload);
    const body = { ...example.payload, number: example.number, pull_request: { ...told, number: example.number } };
    expect((await send(example.name, body)).status).toBe(202);
    await house.app.engine().inbox.idle();
    const pull = await house.store.pull({ repositoryId: 186853002, number: example.number });
    expect(pull?.facts).toMatchObject({
      state: told.state,
      draft: told.draft ?? false,
      merged: told.merged_at != null,
      body: told.body ?? "",
      labels: told.labels.map((label) => label.name).filter((name) => example.action !== "unlabeled" || name !== "bug"),
      head: { sha: told.head.sha, ref: told.head.ref },
      base: { ref: told.base.ref },
    });
    const expected = ACTS[example.action];
    expect(pull?.facts.acts.map((act) => act.kind)).toEqual(expected === undefined ? [] : [expected]);
  });
});
