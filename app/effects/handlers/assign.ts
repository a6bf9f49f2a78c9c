import { addAssignees } from "../../../src/github/pulls/assignees.ts";
import { type EffectHandler, placeOf } from "../handler.ts";
import { staleReason } from "../staleness.ts";

/** Assigning who is assigned already changes nothing. */
export const assign: EffectHandler<"assign"> = async ({ users }, context) => {
  const late = await staleReason(context);
  if (late !== null) {
    return { state: "dropped", reason: late };
  }
  const assigned = await context.write((client) => addAssignees(client, placeOf(context), users, context.signal));
  const known = new Set(assigned.map((login) => login.toLowerCase()));
  const missing = users.filter((login) => !known.has(login.toLowerCase()));
  if (missing.length === users.length) {
    const reason = `${missing.join(", ")} cannot be assigned: GitHub takes people who can read the repository`;
    return { state: "refused", reason };
  }
  const left = missing.length === 0 ? "" : `; GitHub did not take ${missing.join(", ")}`;
  return { state: "done", note: `assigned ${users.filter((each) => !missing.includes(each)).join(", ")}${left}` };
};
