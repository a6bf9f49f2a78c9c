/** The people and apps of a file of facts: who they are, and what they may do. */
import { z } from "zod";
import { actorKey } from "../evaluation/permissions.ts";
import type { Actor, Lookup, Permissions } from "../facts/facts.ts";
import { strictMapping } from "../policy/value-schemas.ts";

const LEVELS = ["none", "read", "triage", "write", "maintain", "admin"] as const;
const team = z
  .string({ error: 'expected a team ("@org/team")' })
  .max(200)
  .regex(/^@[^/\s]+\/[^/\s]+$/, { error: 'expected a team ("@org/team")' });

/** By login. Whoever stands here is in the teams that are listed and in no other. */
export const peopleShape = z.record(
  z.string().max(100),
  strictMapping({
    id: z.int({ error: "expected a whole number" }).min(1, { error: "expected a whole number from 1" }).optional(),
    permission: z.enum(LEVELS, { error: `expected ${LEVELS.join(" | ")}` }).optional(),
    teams: z.array(team, { error: 'expected a list of teams ("@org/team")' }).max(100).optional(),
  }),
  { error: "expected people by their logins" },
);

const FIRST_FREE_ID = 1_000_000;

export class People {
  readonly #written: z.infer<typeof peopleShape>;
  readonly #actors = new Map<string, Actor>();
  readonly #apps = new Map<string, number>();

  constructor(written: z.infer<typeof peopleShape>) {
    this.#written = written;
  }

  /** Whoever bears this login; the same each time. */
  actor(login: string): Actor {
    const known = this.#actors.get(login);
    if (known !== undefined) return known;
    const id = this.#of(login)?.id ?? FIRST_FREE_ID + this.#actors.size;
    const actor: Actor = { kind: login.endsWith("[bot]") ? "bot" : "user", id, login };
    this.#actors.set(login, actor);
    return actor;
  }

  /** Of an app that writes checks. */
  appId(slug: string): number {
    const known = this.#apps.get(slug) ?? this.#apps.size + 1;
    this.#apps.set(slug, known);
    return known;
  }

  /**
   * The permissions with what the file tells about these questions. What it does not tell stays unknown, so that it
   * grants nothing here as it would grant nothing on GitHub.
   */
  answer(permissions: Permissions, lookups: readonly Lookup[]): Permissions {
    const levels = { ...permissions.levels };
    const teams: Record<string, Record<string, boolean | null>> = { ...permissions.teams };
    const identities = { ...permissions.identities };
    for (const lookup of lookups) {
      switch (lookup.kind) {
        case "identity":
          identities[lookup.login] = this.actor(lookup.login);
          break;
        case "permission": {
          const written = this.#of(lookup.actor.login);
          if (written !== undefined) levels[actorKey(lookup.actor)] = written.permission ?? "none";
          break;
        }
        case "team": {
          const written = this.#of(lookup.actor.login);
          if (written !== undefined) {
            const member = (written.teams ?? []).includes(`@${lookup.team}`);
            teams[lookup.team] = { ...teams[lookup.team], [actorKey(lookup.actor)]: member };
          }
          break;
        }
        case "files":
        case "suites":
        case "run":
        case "timeline":
          break;
        default:
          lookup satisfies never;
      }
    }
    return { levels, teams, identities };
  }

  #of(login: string): z.infer<typeof peopleShape>[string] | undefined {
    return Object.hasOwn(this.#written, login) ? this.#written[login] : undefined;
  }
}
