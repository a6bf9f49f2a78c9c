/**
 * All that a desired state follows from, as one digest. Where it is the same as when GitHub confirmed what it shows,
 * nothing has happened since: what differs in the words of a check run then is this version's way of saying it.
 */
import { createHash } from "node:crypto";
import type { Hold } from "../../src/lifecycle/evaluation/evaluation.ts";
import type { CorrectionStop } from "../../src/lifecycle/evaluation/tampering.ts";
import type { Facts, Permissions } from "../../src/lifecycle/facts/facts.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import { canonicalJson } from "../../src/plan/canonical.ts";
import { meaningOf } from "./same-meaning.ts";
import type { Sharing } from "./shared-commits.ts";

export interface Basis {
  readonly facts: Facts;
  readonly policy: Policy;
  readonly permissions: Permissions;
  readonly hold: Hold | null;
  readonly sharing: Sharing | null;
  readonly stop: CorrectionStop | null;
}

export function evaluationBasis({ facts, sharing, ...rest }: Basis, botLogin: string | null): string {
  const sharers = (sharing?.sharers ?? []).map(({ number, evaluation }) => ({ number, evaluation }));
  // Two texts, of which the second may be long; the first says where it ends.
  const hash = createHash("sha256").update(canonicalJson({ ...rest, sharers }));
  return hash.update(meaningOf(facts, botLogin)).digest("base64url");
}
