/** The variables whose values are masked because `secrets` names them. */
import type { Plan } from "../../plan/plan.ts";
import type { AgentLog } from "../log.ts";
import { variable } from "../process/environment.ts";
import { type Masks, TOO_MANY_MASKS } from "./masks.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export class SecretVariables {
  readonly #names: readonly string[];
  readonly #masks: Masks;
  readonly #log: AgentLog;
  readonly #known = new Set<string>();

  constructor(names: readonly string[], masks: Masks, log: AgentLog) {
    this.#names = [...new Set(names)];
    this.#masks = masks;
    this.#log = log;
  }

  /** Masks what this process was given, and warns of names that no command will get: a misspelt one hides nothing. */
  start(environment: Environment, plan: Plan): void {
    this.mask(environment);
    const planned = [plan.env, ...plan.agents.map(({ env }) => env), ...plan.stages.map(({ env }) => env)];
    for (const env of planned) this.mask(env);
    const params = Object.entries(plan.params).map(([name, value]) => [`STAGEWRIGHT_PARAM_${variable(name)}`, value]);
    this.mask(Object.fromEntries(params.map(([name, value]) => [name, String(value)])));
    for (const name of this.#names) {
      const isOutput = name.startsWith("STAGEWRIGHT_OUTPUT_");
      if (isOutput || [environment, ...planned].some((env) => Object.hasOwn(env, name))) continue;
      if (params.some(([param]) => param === name)) continue;
      this.#log({ kind: "warning", stage: null, text: `secrets: ${name} is not set: nothing is masked for it` });
    }
  }

  /** Masks the values that the names have here. */
  mask(environment: Environment): void {
    for (const name of this.#names) {
      const value = environment[name];
      if (value === undefined || value.trim() === "" || this.#known.has(value)) continue;
      this.#known.add(value);
      if (this.#masks.add(value) === "just full") this.#log({ kind: "warning", stage: null, text: TOO_MANY_MASKS });
      this.#log({ kind: "mask", value });
    }
  }
}
