/** Why stages are sent back. */
import type { Json } from "../../plan/plan.ts";

/** Something that a validator found wanting. */
export interface Deficiency {
  readonly validator: string;
  readonly deficiency: Json;
}

/** Why a stage begins a new round: what its commands are told of it. */
export interface RoundReason {
  /** The quorum stage that sent it back, in which of its rounds; the stage itself, where a person did. */
  readonly stage: string;
  readonly round: number;
  readonly deficiencies: readonly Deficiency[];
}
