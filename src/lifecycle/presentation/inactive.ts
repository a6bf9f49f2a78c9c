import type { Evaluation } from "../evaluation/evaluation.ts";

/** Why there is no stage; completes "it is in no stage: …". */
export function sayInactive({ inactive, missing }: Evaluation): string {
  switch (inactive) {
    case "closed":
      return "the pull request is closed";
    case "draft":
      return "it is a draft";
    case "opted_out":
      return "a label opts it out";
    case "unknown":
      return "nothing is known of it yet";
    case "conditions":
    case null:
      return missing?.summary ?? "no stage's conditions hold";
  }
}
