import { addPullLabels, readPullLabels, removePullLabel } from "../../../src/github/pulls/pull-labels.ts";
import { type EffectHandler, placeOf } from "../handler.ts";
import { staleReason } from "../staleness.ts";

/** Converges: what is there is read, and only the difference is written. */
export const label: EffectHandler<"label"> = async ({ add, remove }, context) => {
  const late = await staleReason(context);
  if (late !== null) {
    return { state: "dropped", reason: late };
  }
  const { client, signal, write } = context;
  const place = placeOf(context);
  const on = new Set((await readPullLabels(client, place, signal)).map((name) => name.toLowerCase()));
  const missing = add.filter((name) => !on.has(name.toLowerCase()));
  const spare = remove.filter((name) => on.has(name.toLowerCase()));
  for (const name of spare) {
    await write((writer) => removePullLabel(writer, place, name, signal));
  }
  if (missing.length > 0) {
    await write((writer) => addPullLabels(writer, place, missing, signal));
  }
  const said = [
    ...(missing.length > 0 ? [`added the label ${missing.join(", ")}`] : []),
    ...(spare.length > 0 ? [`removed the label ${spare.join(", ")}`] : []),
  ];
  return { state: "done", note: said.length === 0 ? null : said.join("; ") };
};
