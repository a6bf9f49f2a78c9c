import { markerOf } from "../../../src/github/pulls/comments.ts";
import { MOST_CORRECTIONS } from "../../../src/lifecycle/evaluation/tampering.ts";
import { mention } from "../../../src/lifecycle/policy/templates.ts";
import { stageOfLabel } from "../../../src/lifecycle/presentation/display.ts";
import { codeSpan } from "../../../src/report/escape.ts";
import { audit } from "../../audit/audit.ts";
import type { EffectPayload } from "../effect.ts";
import type { EffectHandler } from "../handler.ts";
import { notCertain, putComment } from "./comment.ts";

export type TamperingSaid = EffectPayload<"tampering">;

/** Says who changed a stage's label and what to use instead: one comment for each person, which is updated. */
export const tampering: EffectHandler<"tampering"> = async (said, context) => {
  const unsure = notCertain(context);
  if (unsure !== null) {
    return { state: "again", at: unsure, reason: "whether it was written already is not certain yet" };
  }
  const { by } = said;
  const name = said.what === "stopped" ? "tampering stopped" : `tampering ${by.kind} ${by.id}`;
  const result = await putComment(context, markerOf(name), textOf(said), true);
  const { repository, effect, log } = context;
  audit(log, "label.corrected", { repository: `${repository.owner}/${repository.name}`, pull: effect.number, by });
  const evidence = said.what === "stopped" ? [] : [said.act];
  return { state: "done", result, note: noteOf(said), line: { kind: "tampering", actor: by, evidence } };
};

function textOf(said: TamperingSaid): string {
  const who = said.by.kind === "bot" ? codeSpan(said.by.login) : mention(said.by.login);
  if (said.what === "stopped") {
    return [
      `Stage labels of this pull request were changed more than ${MOST_CORRECTIONS} times within an hour, the last time by ${who}.`,
      `They are left as they are until ${sayTime(said.until)}, or until somebody with write permission comments \`/stage retry\`.`,
      "The check runs say where it really is.",
    ].join(" ");
  }
  const did = said.what === "set" ? "set the label" : "took off the label";
  const stage = stageOfLabel(said.label) ?? "";
  return [
    `${who} ${did} ${codeSpan(said.label)}. Labels \`stage/…\` only show where a pull request is, so that was put right.`,
    `\`/stage status\` says what moves it; an operator may comment ${codeSpan(`/stage to ${stage}`)}, and those with write permission \`/stage back\`.`,
  ].join(" ");
}

function noteOf(said: TamperingSaid): string {
  if (said.what === "stopped") {
    return `stage labels were changed too often, the last time by ${said.by.login}: they are not put right until ${sayTime(said.until)}`;
  }
  const did = said.what === "set" ? "set" : "took off";
  return `${said.by.login} ${did} the label ${said.label}, which was put right`;
}

function sayTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
