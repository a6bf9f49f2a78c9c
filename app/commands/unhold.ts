import { sayHold, unholdOf } from "../../src/lifecycle/presentation/hold.ts";
import { clip, codeSpan, markdown } from "../../src/report/escape.ts";
import { type CommandHandler, DONE } from "./command.ts";

const LONGEST_REASON = 500;

/** That it is off hold follows from the command's being given; the repository may still be. */
export const unhold: CommandHandler = async ({ after }) => {
  const { held } = after.evaluation;
  return held === null
    ? DONE
    : {
        outcome: "done",
        text: `${markdown(clip(sayHold(held), LONGEST_REASON))}. See ${codeSpan(unholdOf(held))}.`,
      };
};

/** The repository's pull requests go on, but for those that are on hold themselves. */
export const unholdRepository: CommandHandler = async ({ by, at, argument, repository, effects }) => {
  const gates = await effects.hold({ repositoryId: repository.id, held: false, at, by, reason: argument });
  const name = codeSpan(`${repository.owner}/${repository.name}`);
  return {
    outcome: "done",
    text: gates !== null ? `The pull requests of ${name} go on.` : `Somebody has said otherwise about ${name} since.`,
  };
};
