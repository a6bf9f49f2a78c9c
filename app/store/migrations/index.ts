/** How the tables came to be. */
import type { Migration } from "kysely";
import { migration as m0001 } from "./0001-first.ts";
import { migration as m0002 } from "./0002-runs.ts";
import { migration as m0003 } from "./0003-starts.ts";
import { migration as m0004 } from "./0004-gates.ts";
import { migration as m0005 } from "./0005-effects.ts";
import { migration as m0006 } from "./0006-policies.ts";
import { migration as m0007 } from "./0007-holds.ts";
import { migration as m0008 } from "./0008-ages.ts";
import { migration as m0009 } from "./0009-gate-checks.ts";
import { migration as m0010 } from "./0010-people.ts";
import { migration as m0011 } from "./0011-run-ids.ts";
import { migration as m0012 } from "./0012-words.ts";
import { migration as m0013 } from "./0013-run-snapshots.ts";
import { migration as m0014 } from "./0014-effect-codes.ts";
import { migration as m0015 } from "./0015-in-progress.ts";
import { migration as m0016 } from "./0016-replicas.ts";
import { migration as m0017 } from "./0017-sweeps.ts";
import { migration as m0018 } from "./0018-pace.ts";

/** In the order they are applied. A migration that was released is never changed. From 0012 on, columns are only added. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-first": m0001,
  "0002-runs": m0002,
  "0003-starts": m0003,
  "0004-gates": m0004,
  "0005-effects": m0005,
  "0006-policies": m0006,
  "0007-holds": m0007,
  "0008-ages": m0008,
  "0009-gate-checks": m0009,
  "0010-people": m0010,
  "0011-run-ids": m0011,
  "0012-words": m0012,
  "0013-run-snapshots": m0013,
  "0014-effect-codes": m0014,
  "0015-in-progress": m0015,
  "0016-replicas": m0016,
  "0017-sweeps": m0017,
  "0018-pace": m0018,
};
