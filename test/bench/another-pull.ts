/** Pull requests that the app knows and GitHub has never had: copies of one, to make a large repository of a small one. */
import type { Pull } from "../../app/store/model.ts";
import type { Act } from "../../src/lifecycle/facts/facts.ts";

/** Known and shown as this one is, with so many older acts. */
export function another(row: Pull, number: number, acts: number): Pull {
  const sha = number.toString(16).padStart(40, "0");
  const text = JSON.stringify({ ...row, number, version: 0 });
  const made: Pull = JSON.parse(text.replaceAll(row.facts.head.sha, sha).replaceAll(row.facts.nodeId, `PR_${number}`));
  const more = Array.from({ length: acts }, (_, n): Act => {
    const at = row.facts.openedAt - (n + 1) * 1_000;
    return { kind: "labeled", id: `labeled:old-${n}@${at}`, at, label: `old-${n}`, by: row.facts.author };
  });
  return {
    ...made,
    facts: {
      ...made.facts,
      number,
      acts: [...more.toReversed(), ...made.facts.acts],
      observed: made.facts.observed,
    },
  };
}
