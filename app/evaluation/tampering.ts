/** What is to be said about stage labels that others changed: an effect for each attempt, and one for giving up. */
import type { CorrectionStop, LabelTampering, Tampering } from "../../src/lifecycle/evaluation/tampering.ts";
import { type EffectOccasion, newEffect } from "../effects/effect.ts";
import type { TamperingSaid } from "../effects/handlers/tampering.ts";
import type { NewEffect, PullId } from "../store/model.ts";

/** Each is known by its act, so asking again adds nothing. */
export function tamperingEffects(
  id: PullId,
  installationId: number,
  { attempts, stop }: Tampering,
  now: number,
): NewEffect[] {
  const row = (occasion: EffectOccasion, payload: TamperingSaid): NewEffect =>
    newEffect("tampering", id, { installationId, occasion, at: now }, payload);
  return [
    ...attempts.map((each) => row({ of: "label changed", act: each.act.id }, saidOf(each))),
    ...(stop === null ? [] : [row({ of: "corrections stopped", at: stop.at }, stopped(stop))]),
  ];
}

function saidOf({ act }: LabelTampering): TamperingSaid {
  const { kind, by, label, id } = act;
  return { what: kind === "labeled" ? "set" : "removed", by, label, act: id };
}

function stopped({ by, until }: CorrectionStop): TamperingSaid {
  return { what: "stopped", by, until };
}
