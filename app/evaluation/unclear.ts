/** What is said when a label is taken off because nobody can say when in its second, or by whom, it was given. */
import type { Evaluation } from "../../src/lifecycle/evaluation/evaluation.ts";
import { codeSpan, markdown } from "../../src/report/escape.ts";
import { newEffect } from "../effects/effect.ts";
import type { NewEffect, PullId } from "../store/model.ts";

/** Each is known by its label and its second, so asking again adds nothing. */
export function unclearEffects(
  pull: PullId,
  installationId: number,
  { unclear }: Pick<Evaluation, "unclear">,
  now: number,
): NewEffect[] {
  return unclear.map(({ label, at, what }) =>
    newEffect(
      "comment",
      pull,
      { installationId, occasion: { of: "label unclear", label, at }, at: now },
      {
        // With spaces: no stage, whose comments are found by its name, is called so.
        marker: `taken off: ${label}`,
        body: `The label ${codeSpan(label)} was taken off. It is not known ${markdown(what)}: GitHub dates both to the same second, ${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC. If it is meant to count, give it again.`,
      },
    ),
  );
}
