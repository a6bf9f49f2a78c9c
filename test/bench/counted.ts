/** Counts what the app does behind GitHub's back: calls of its store, and evaluations of pull requests. */
import { Evaluator } from "../../app/evaluation/evaluator.ts";
import type { Store } from "../../app/store/model.ts";

export interface Counted {
  readonly store: <T extends Store>(store: T) => T;
  /** Store calls by name, since the last call of this. */
  calls(): ReadonlyMap<string, number>;
  /** Since the last call of this. */
  evaluations(): number;
  close(): void;
}

export function counted(): Counted {
  const calls = new Map<string, number>();
  let evaluations = 0;
  const { evaluate } = Evaluator.prototype;
  Evaluator.prototype.evaluate = function (...given) {
    evaluations += 1;
    return evaluate.apply(this, given);
  };
  const wrap = <T extends object>(target: T, place: string): T =>
    new Proxy(target, {
      get: (object, key, receiver) => {
        const value: unknown = Reflect.get(object, key, receiver);
        const name = `${place}${String(key)}`;
        if (typeof value === "function") {
          return (...given: unknown[]) => {
            calls.set(name, (calls.get(name) ?? 0) + 1);
            return Reflect.apply(value, object, given);
          };
        }
        return typeof value === "object" && value !== null ? wrap(value, `${name}.`) : value;
      },
    });
  return {
    store: (store) => wrap(store, ""),
    calls: () => {
      const told = new Map([...calls].toSorted(([, a], [, b]) => b - a));
      calls.clear();
      return told;
    },
    evaluations: () => {
      const told = evaluations;
      evaluations = 0;
      return told;
    },
    close: () => {
      Evaluator.prototype.evaluate = evaluate;
    },
  };
}
