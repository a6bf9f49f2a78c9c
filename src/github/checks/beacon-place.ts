/** The check run by which a group's followers find their leader: where it stands, and what it is called. */
import type { AbandonedChecks } from "./abandoned-checks.ts";

/** Where the check run stands. */
export interface BeaconPlace {
  readonly owner: string;
  readonly repo: string;
  readonly headSha: string;
  /** The run's id: beacons of other runs on the same commit are not looked at. */
  readonly run: string;
  /** For people: which group's leader. */
  readonly group: string;
  readonly plan: string;
}

const LONGEST_NAME = 100;

/** The beacons of one run, whoever lit them and wherever they say that the leader is. */
export function beaconsOf(place: BeaconPlace): AbandonedChecks {
  const { owner, repo, headSha } = place;
  return { owner, repo, headSha, name: beaconName(place), externalId: externalId(place, "") };
}

/** The check run's name. */
export function beaconName({ group, plan }: BeaconPlace): string {
  const name = `leader / ${plan} (${group})`;
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
}

/** Its external id: which run's leader, then what is shown of it. */
export function externalId({ run }: BeaconPlace, shown: string): string {
  return `stagewright-leader/${run}/${shown}`;
}
