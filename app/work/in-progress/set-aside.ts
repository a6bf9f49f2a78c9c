/** Pull requests that the process died of: left alone until somebody who runs the app takes them up again. */

import { changePull, parked } from "../../store/change-pull.ts";
import { noteLine } from "../../store/history.ts";
import type { Pull, PullId, Store } from "../../store/model.ts";

/** Nothing evaluates or moves it any more, whatever is heard of it. */
export async function setPullAside(
  store: Pick<Store, "pull" | "commit">,
  id: PullId,
  reason: string,
  now: () => number,
): Promise<void> {
  await changePull(store, id, now, (row) => {
    if (row === null) {
      return null;
    }
    const at = now();
    const blocked = {
      at,
      to: row.intent?.to ?? null,
      code: "set_aside",
      reason,
      times: 1,
      until: at,
      wanted: "",
      setAside: true,
    } as const;
    const history = [noteLine(row, "blocked", `it is set aside: ${reason}`, at)];
    return { pull: { ...row, reevaluateAt: null, ...parked(row), blocked }, history };
  });
}

/** False: it is not set aside. */
export async function takeUpAgain(
  store: Pick<Store, "pull" | "commit">,
  id: PullId,
  now: () => number,
): Promise<boolean> {
  const changed = await changePull(store, id, now, (row) => {
    if (row?.blocked?.setAside !== true) {
      return null;
    }
    const history = [noteLine(row, "unblocked", "it is taken up again", now())];
    return { pull: { ...row, reevaluateAt: now(), blocked: null }, history };
  });
  return changed !== null;
}

/** Those that are set aside among the first `limit` that are blocked. */
export async function pullsSetAside(store: Pick<Store, "pulls">, limit: number): Promise<readonly Pull[]> {
  return (await store.pulls({ blocked: true }, limit)).filter(({ blocked }) => blocked?.setAside === true);
}
