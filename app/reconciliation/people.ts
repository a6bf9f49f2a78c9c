/** No snapshot shows that somebody left a team or lost a permission, and of some such changes there is no event. */
import type { Repository } from "../store/model.ts";
import type { Runtime } from "../work/runtime.ts";

export interface PeopleOptions extends Pick<Runtime, "store" | "now" | "timings" | "wakeups"> {
  /** Told when those whom a repository's policy names may not be who they were. */
  readonly people: (repository: Repository) => Promise<void>;
}

/** Evaluates again what rests on people; once more later, where something does. */
export async function reevaluatePeople(options: PeopleOptions, repository: Repository): Promise<void> {
  const { store, now, timings, wakeups, people } = options;
  const began = now();
  const count = await store.requestReevaluation({ repositoryId: repository.id, open: true, people: true }, began);
  await people(repository);
  await store.sweeps.setPeopleAt(repository.id, count > 0 ? began + timings.reevaluatePeople : null);
  if (count > 0) {
    wakeups.notify("pulls");
  }
}

/** A sweep comes by: what is due is evaluated, and where nobody has said when, it is said. */
export async function reevaluatePeopleIfDue(options: PeopleOptions, repository: Repository, at: number): Promise<void> {
  const { store, timings } = options;
  const due = await store.sweeps.peopleAt(repository.id);
  if (due === null) {
    await store.sweeps.setPeopleAt(repository.id, at + timings.reevaluatePeople);
  } else if (due <= at) {
    await reevaluatePeople(options, repository);
  }
}
