import { codeSpan } from "../../src/report/escape.ts";
import { gatesOpenedBy } from "../evaluation/holds/open-gates.ts";
import { type CommandHandler, DONE } from "./command.ts";

/** That it is on hold follows from the command's being given. */
export const hold: CommandHandler = async ({ before, after, pull }) => {
  const { held } = after.evaluation;
  // By what is decided, not by what is shown: the gate may be closed already when this is answered.
  const gates = gatesOpenedBy(before.desired, before.policy);
  return held === null || gates === 0
    ? DONE
    : {
        outcome: "done",
        text: "It is on hold until `/stage unhold`.",
        closing: { hold: "pull", at: held.at, gates: [[pull.number, gates]] },
      };
};

/** None of the repository's pull requests goes any further. */
export const holdRepository: CommandHandler = async ({ by, at, argument, repository, effects }) => {
  const gates = await effects.hold({ repositoryId: repository.id, held: true, at, by, reason: argument });
  const name = codeSpan(`${repository.owner}/${repository.name}`);
  return gates === null
    ? { outcome: "done", text: `Somebody has said otherwise about ${name} since.` }
    : {
        outcome: "done",
        text: `All pull requests of ${name} are on hold. \`/stage unhold --repository\` lets them move again.`,
        closing: { hold: "repository", at, gates },
      };
};
