/** How much the app says in answer to what people ask on one pull request: anyone may ask, and so may a bot in a loop. */
import { z } from "zod";
import { githubId } from "../../../src/github/id.ts";
import type { EffectContext } from "../../effects/handler.ts";
import type { Effect } from "../../store/model.ts";

const MOST_ANSWERS = 20;
const PER_MS = 60 * 60_000;
const ANSWERS: ReadonlySet<string> = new Set(["answer", "button"]);

const given = z.object({ at: z.number() });
const said = z.object({ id: githubId });

/** Whether another comment may be written: by the dates of those that were answered with one. */
export async function mayAnswer({ store, effect }: Pick<EffectContext, "store" | "effect">): Promise<boolean> {
  const at = given.safeParse(effect.payload).data?.at ?? 0;
  const answered = (await store.effectsOf(effect)).filter((each) => {
    const date = given.safeParse(each.payload).data?.at ?? 0;
    return each.id !== effect.id && saidSomething(each) && Math.abs(at - date) < PER_MS;
  });
  return answered.length < MOST_ANSWERS;
}

function saidSomething({ kind, result }: Effect): boolean {
  return ANSWERS.has(kind) && said.safeParse(result).success;
}
