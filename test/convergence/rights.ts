/** Changes of what people may do: on the repository, in teams, in the organization. */
import {
  addTeam,
  addTeamMember,
  asUser,
  removeOrganizationMember,
  removeTeamMember,
  setCollaborator,
  type Team,
} from "../../src/sandbox/world/index.ts";
import type { Random } from "../simulation/random.ts";
import type { People, Scene } from "./github.ts";

/** Closed list: what stories count. */
const KINDS = ["on the repository", "in teams", "in the organization"] as const;
type Kind = (typeof KINDS)[number];

type Person = Exclude<keyof People, "owner">;

/** Whose word counts as evidence, by the names of teams that a policy may use. Mallory may do nothing else. */
const TEAMS = { quality: ["cleo", "rex"], testing: ["tess", "mallory"] } as const;

/**
 * Of those who give no commands, or whose commands rest on other rights: what they say is judged by what they might when
 * it was heard.
 */
export class Rights {
  readonly #counts = new Map<Kind, number>();
  readonly #scene: Scene;
  readonly #random: Random;
  readonly #teams: Readonly<Record<keyof typeof TEAMS, Team>> | null;

  /** `teams`: the policy names them; else it rests on who may write at most. */
  constructor(scene: Scene, random: Random, teams: boolean) {
    this.#scene = scene;
    this.#random = random;
    this.#teams = teams ? { quality: this.#team("quality"), testing: this.#team("testing") } : null;
  }

  /** Changes something and says what. */
  act(): string {
    const teams = this.#teams;
    const write = () => this.#write();
    if (teams === null) {
      return write();
    }
    return this.#random.pick([
      write,
      () => this.#member(teams.quality, "rex"),
      () => this.#member(teams.testing, "tess"),
      () => this.#member(teams.testing, "mallory"),
      () => this.#leave(teams.quality, "rex"),
      () => this.#leave(teams.testing, "tess"),
      () => this.#leave(teams.testing, "mallory"),
    ])();
  }

  /** Everybody may what he might at first. */
  restore(): string {
    const { sandbox, repository, people } = this.#scene;
    const by = asUser(people.owner);
    setCollaborator(sandbox.world, by, repository, people.rex, "write");
    for (const team of Object.values(this.#teams ?? {})) {
      for (const each of TEAMS[team.slug === "quality" ? "quality" : "testing"]) {
        addTeamMember(sandbox.world, by, team, people[each]);
      }
    }
    return "everybody may what he might at first";
  }

  /** Of everybody at once: whatever rests on people comes out otherwise. */
  turn(): string {
    const teams = this.#teams;
    return teams === null
      ? this.#write()
      : [
          this.#random.chance(0.5) ? this.#member(teams.quality, "rex") : this.#leave(teams.quality, "rex"),
          this.#member(teams.testing, "tess"),
          this.#member(teams.testing, "mallory"),
        ].join(", ");
  }

  /** How often there was what. */
  told(): Record<string, number> {
    return Object.fromEntries(KINDS.map((kind) => [`changes of rights ${kind}`, this.#counts.get(kind) ?? 0]));
  }

  #team(name: keyof typeof TEAMS): Team {
    const { sandbox, people } = this.#scene;
    const by = asUser(people.owner);
    const team = addTeam(sandbox.world, by, people.owner, name);
    for (const each of TEAMS[name]) {
      addTeamMember(sandbox.world, by, team, people[each]);
    }
    return team;
  }

  /** Rex, whose labels count where no policy names anybody, loses the right to write, or gets it back. */
  #write(): string {
    const { sandbox, repository, people } = this.#scene;
    const permission = repository.collaborators.get(people.rex.id) === "write" ? "read" : "write";
    setCollaborator(sandbox.world, asUser(people.owner), repository, people.rex, permission);
    return this.#counted("on the repository", `rex may ${permission}`);
  }

  #member(team: Team, name: Person): string {
    const { sandbox, people } = this.#scene;
    const by = asUser(people.owner);
    const leaves = team.members.has(people[name].id);
    if (leaves) {
      removeTeamMember(sandbox.world, by, team, people[name]);
    } else {
      addTeamMember(sandbox.world, by, team, people[name]);
    }
    return this.#counted("in teams", `${name} ${leaves ? "leaves" : "joins"} ${team.slug}`);
  }

  /** With the organization he leaves its teams, of which no event tells. */
  #leave(team: Team, name: Person): string {
    const { sandbox, people } = this.#scene;
    if (sandbox.world.organizationMembers.get(people.owner.id)?.has(people[name].id) !== true) {
      return this.#member(team, name);
    }
    removeOrganizationMember(sandbox.world, asUser(people.owner), people.owner, people[name]);
    return this.#counted("in the organization", `${name} leaves the organization`);
  }

  #counted(kind: Kind, told: string): string {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    return told;
  }
}
