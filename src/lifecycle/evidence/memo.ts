/**
 * Results of one evaluation that stay as they are while what they rest on does. A replay asks for the same conditions
 * after each act, and an act concerns few of them.
 */
import type { EvaluatedTree } from "../evaluation/evaluation.ts";
import type { ActIndex, ActRead } from "../facts/act-index.ts";

/** All that a result may rest on; what is not here is the same throughout an evaluation. */
interface Basis {
  readonly acts: ActIndex;
  readonly window: { readonly key: string };
  readonly commits: readonly string[];
  readonly present: boolean;
  readonly inBackRule: boolean;
  readonly authority: unknown;
}

interface Remembered {
  readonly result: EvaluatedTree;
  readonly basis: Basis;
  readonly reads: readonly ActRead[];
}

export class ConditionMemo {
  readonly #known = new Map<object, Remembered>();

  /** The result of a condition, by `evaluate` where something that it rests on is another than it was. */
  of(condition: object, basis: Basis, evaluate: () => EvaluatedTree): EvaluatedTree {
    const known = this.#known.get(condition);
    if (known !== undefined && isSame(known.basis, basis) && basis.acts.shows(known.reads)) {
      return known.result;
    }
    const { value: result, reads } = basis.acts.recording(evaluate);
    this.#known.set(condition, { result, basis, reads });
    return result;
  }
}

function isSame(a: Basis, b: Basis): boolean {
  return (
    a.window.key === b.window.key &&
    a.commits === b.commits &&
    a.present === b.present &&
    a.inBackRule === b.inBackRule &&
    a.authority === b.authority
  );
}
