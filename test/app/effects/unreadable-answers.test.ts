/** One answer of GitHub's that cannot be read: nothing is lost by it, done twice or called undone. */
import { afterEach, expect, it } from "vitest";
import { addLabelsByName, asUser, type PullRequest } from "../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../house.ts";

const policyWith = (action: string): string => `version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: qa, enter: { label: go }, on_enter: [${action}] }
`;

const real = globalThis.fetch;
let house: House;
afterEach(async () => {
  globalThis.fetch = real;
  await house.close();
});

type Answer = (response: Response) => Promise<Response>;

const cutInHalf: Answer = async (response) => {
  const text = await response.text();
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  headers.delete("content-encoding");
  return new Response(text.slice(0, text.length >> 1), { status: response.status, headers });
};
const aPage: Answer = async () =>
  new Response("<html><body>Unicorn!</body></html>", { status: 200, headers: { "content-type": "text/html" } });
const notFound: Answer = async () =>
  new Response('{"message":"Not Found"}', { status: 404, headers: { "content-type": "application/json" } });
const aHiccup: Answer = async () =>
  new Response(
    JSON.stringify({
      data: { mergePullRequest: null },
      errors: [{ message: "Something went wrong while executing your query. This may be the result of a timeout." }],
    }),
    { status: 200, headers: { "content-type": "application/json" } },
  );

type Matches = (method: string, url: string, body: string) => boolean;

/** The requests reach GitHub where `reaches`; the first `times` of these are answered so. Resolves with how many were. */
function answerSo(matches: Matches, answer: Answer, reaches = true, times = 1): () => number {
  let hits = 0;
  globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (hits >= times || !matches(init?.method ?? "GET", url, String(init?.body ?? ""))) {
      return await real(input, init);
    }
    hits += 1;
    return await answer(reaches ? await real(input, init) : new Response());
  };
  return () => hits;
}

const writesComment: Matches = (method, url) => method === "POST" && url.endsWith("/comments");
const listsComments: Matches = (method, url) => method === "GET" && url.includes("/comments");
const asks =
  (operation: string): Matches =>
  (_, url, body) =>
    url.endsWith("/graphql") && body.includes(operation);

const commented = (pull: PullRequest): boolean =>
  pull.comments.filter(({ body }) => body.includes("hello")).length === 1;
const merged = (pull: PullRequest): boolean => pull.merged;

it.each<[string, string, Matches, Answer, boolean, number, (pull: PullRequest) => boolean]>([
  ["a comment that was written, cut in half", "comment: hello", writesComment, cutInHalf, true, 1, commented],
  ["a comment, told that there is no such thing", "comment: hello", writesComment, notFound, false, 1, commented],
  ["the list of comments, as a page", "comment: hello", listsComments, aPage, true, 1, commented],
  ["the moves, cut in half", "comment: hello", asks("Transitions"), cutInHalf, true, 1, commented],
  ["a merge that was done, cut in half", "auto_merge: squash", asks("mutation Merge"), cutInHalf, true, 1, merged],
  ["a merge that was done, as a page", "auto_merge: squash", asks("mutation Merge"), aPage, true, 1, merged],
  ["what a merge waits for, as a page", "auto_merge: squash", asks("query Merging"), aPage, true, 1, merged],
  ["a merge, four hiccups", "auto_merge: squash", asks("mutation Merge"), aHiccup, false, 4, merged],
])("%s", async (_, action, matches, answer, reaches, times, happened) => {
  house = await openHouse({
    permissions: { actions: "write", contents: "write" },
    timings: { requestTimeout: 2_000, reevaluationPause: 20 },
    files: { ".github/stagewright.yml": policyWith(`{ ${action} }`) },
  });
  const pull = house.open();
  await house.settled();
  house.later();
  const hits = answerSo(matches, answer, reaches, times);
  addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["go"]);
  const id = { repositoryId: house.repository.id, number: pull.number };
  await expect
    .poll(async () => (await house.store.effectsOf(id)).map(({ status }) => status), { timeout: 30_000, interval: 100 })
    .toEqual(["done"]);
  expect(hits()).toBe(times);
  expect(happened(pull)).toBe(true);
  expect(pull.comments.filter(({ body }) => body.includes("could be done"))).toEqual([]);
});
