import { codeSpan } from "../../src/report/escape.ts";
import { type CommandHandler, DONE } from "./command.ts";

/** That it is on hold follows from the command's being given. */
export const hold: CommandHandler = async () => DONE;

/** None of the repository's pull requests goes any further. */
export const holdRepository: CommandHandler = async ({ by, at, argument, repository, effects }) => {
  const newest = await effects.hold({ repositoryId: repository.id, held: true, at, by, reason: argument });
  const name = codeSpan(`${repository.owner}/${repository.name}`);
  return {
    outcome: "done",
    text: newest
      ? `All pull requests of ${name} are on hold. \`/stage unhold --repository\` lets them move again.`
      : `Somebody has said otherwise about ${name} since.`,
  };
};
