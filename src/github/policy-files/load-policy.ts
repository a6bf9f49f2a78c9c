/** A repository's policy as GitHub has it now, with those that it extends. */

import { DEFAULT_POLICY } from "../../lifecycle/policy/default-policy.ts";
import type { PolicyParts } from "../../lifecycle/policy/merge-policies.ts";
import type { Policy } from "../../lifecycle/policy/policy.ts";
import { POLICY_PATH, type PolicyReading, readPolicy, unreadable } from "../../lifecycle/policy/read-policy.ts";
import { LARGEST_FILE_BYTES } from "../../plan/parsing/source.ts";
import type { Problem } from "../../plan/plan.ts";
import type { GitHubClient } from "../port.ts";
import { type PolicyFile, type PolicyFileSeen, readPolicyFile } from "./policy-file.ts";

export interface Loaded {
  /** Null: it has errors. */
  readonly policy: Policy | null;
  readonly problems: readonly Problem[];
  /** Changes when what was read does; null: there is no file. */
  readonly source: string | null;
  /** Repositories (`owner/name`) whose policies it extends, also those that could not be read. */
  readonly bases: readonly string[];
  /** What is wrong with those of them that not everybody may read: for the log, never for GitHub. */
  readonly untold: readonly string[];
  readonly seen: Omit<PolicyFileSeen, "file">;
}

interface Place {
  readonly owner: string;
  readonly name: string;
}

/** A file as a commit would have it. */
export interface Proposed {
  readonly place: Place;
  readonly commit: string;
  /** Whether everybody who sees the commit's checks may know what this repository (`owner/name`, lower case) holds. */
  readonly mayShow: (name: string, repository: { readonly private: boolean }) => boolean;
}

/** `readPolicy`, or what does the same elsewhere. */
export type ReadPolicy = (
  content: string | Uint8Array,
  file: string,
  base: PolicyParts | null,
) => PolicyReading | Promise<PolicyReading>;

/** A policy may extend one that extends another, and so on. */
const MOST_BASES = 5;

/**
 * Whatever is wrong with a policy that not everybody may read, this is all that is said about it: whether it is there
 * must not be learnt by naming it. What is wrong with it stands in the check run on its own repository's commit.
 */
const NO_BASE =
  "cannot be extended: it is not there, it may not be read here, or its policy cannot be used; who may read it finds the reason there";

/**
 * Its problems are for everybody who reads the repository's check runs, unless `readers` says otherwise: they may not
 * read what it extends. Throws what the client throws, and an Error where the repository cannot be seen. `fetch` reads the file of a repository, null where
 * the app may not see it.
 */
export async function loadPolicy(
  repository: Place,
  fetch: Fetch,
  read: ReadPolicy = readPolicy,
  readers: Readers = "anybody",
): Promise<Loaded> {
  const seen = await fetch(repository);
  if (seen === null) {
    throw new Error(`${repository.owner}/${repository.name} is not there, or the token may not see it.`);
  }
  const { file, ...rest } = seen;
  if (file === null) {
    return { policy: DEFAULT_POLICY, problems: [], source: null, bases: [], untold: [], seen: rest };
  }
  const chain: Chain = { names: [nameOf(repository)], oids: [file.oid], untold: [] };
  const { policy, problems } = await readWithBases(file, POLICY_PATH, chain, { fetch, read, readers });
  const { names, oids, untold } = chain;
  return { policy, problems, source: oids.join(" "), bases: names.slice(1), untold, seen: rest };
}

/**
 * How this client reads policy files: on the default branch. `proposed`: that repository's own as it is at a commit
 * instead, which may be of a fork's pull request to it. What it extends is shown where the commit is, so of other
 * repositories only those count that `mayShow`; the others are answered like those that are not there.
 */
export function policyFetcher(client: GitHubClient, requestTimeout: number, proposed?: Proposed) {
  return async (place: Place): Promise<PolicyFileSeen | null> => {
    const own = proposed !== undefined && nameOf(place) === nameOf(proposed.place);
    const signal = AbortSignal.timeout(requestTimeout);
    const commit = own ? proposed.commit : null;
    const seen = await readPolicyFile(client, place, POLICY_PATH, LARGEST_FILE_BYTES, signal, commit);
    const shown = seen === null || own || proposed === undefined || proposed.mayShow(nameOf(place), seen.repository);
    return shown ? seen : null;
  };
}

/** The policy in a file of this machine, for who asks. What it extends is read with `fetch`; throws what that throws. */
export async function readPolicyText(
  content: Uint8Array,
  path: string,
  fetch: Fetch,
): Promise<Pick<Loaded, "policy" | "problems">> {
  const file = { oid: "", size: content.byteLength, content };
  const ways: Ways = { fetch, read: readPolicy, readers: "who asks" };
  return await readWithBases(file, path, { names: [path], oids: [], untold: [] }, ways);
}

/** Who is told what is wrong with other repositories' policies. `who asks`: `fetch` reads with their own token. */
type Readers = "anybody" | "who asks";
type Fetch = (place: Place) => Promise<PolicyFileSeen | null>;

/** How files are come by, and how they are read. */
interface Ways {
  readonly fetch: Fetch;
  readonly read: ReadPolicy;
  readonly readers: Readers;
}

interface Chain {
  readonly names: string[];
  readonly oids: string[];
  readonly untold: string[];
}

async function readWithBases(file: PolicyFile, path: string, chain: Chain, ways: Ways): Promise<PolicyReading> {
  if (file.content === null) {
    return unreadable(path, `the file has ${file.size} bytes, expected at most ${LARGEST_FILE_BYTES} (1 MiB)`);
  }
  const own = await ways.read(file.content, path, null);
  if (own.extends === null) {
    return own;
  }
  const base = await baseOf(own.extends, chain, ways);
  if ("problem" in base) {
    const at = { severity: "error", file: path, ...own.extendsAt } as const;
    const problems = [...own.problems, { ...at, message: `extends: ${base.problem}` }];
    return { ...own, policy: null, parts: null, problems };
  }
  return await ways.read(file.content, path, base.parts);
}

async function baseOf(
  name: string,
  chain: Chain,
  ways: Ways,
): Promise<{ readonly parts: PolicyParts } | { readonly problem: string }> {
  const [owner = "", repository = ""] = name.split("/", 2);
  const before = chain.names.indexOf(name.toLowerCase());
  if (before >= 0) {
    return { problem: `a circle: ${[...chain.names.slice(before), name].join(" → ")}` };
  }
  if (chain.names.length > MOST_BASES) {
    return { problem: `${chain.names.join(" → ")} is a row of more than ${MOST_BASES} policies` };
  }
  chain.names.push(name.toLowerCase());
  const seen = await ways.fetch({ owner, name: repository });
  const told = seen?.repository.private === false || ways.readers !== "anybody";
  const problem = (text: string): { readonly problem: string } => {
    if (told) {
      return { problem: `${name} ${text}` };
    }
    chain.untold.push(`${name} ${text}`);
    return { problem: `${name} ${NO_BASE}` };
  };
  if (seen === null) {
    return problem("is not there, or may not be read here: install the app on it, too");
  }
  if (seen.file === null) {
    return problem(`has no ${POLICY_PATH}`);
  }
  chain.oids.push(seen.file.oid);
  const reading = await readWithBases(seen.file, `${name}/${POLICY_PATH}`, chain, ways);
  const [first, ...more] = reading.problems.filter((problem) => problem.severity === "error");
  if (first !== undefined || reading.parts === null) {
    const where = first === undefined ? "" : `: ${first.file}:${first.line}:${first.column}: ${first.message}`;
    return problem(`has ${more.length + 1} ${more.length === 0 ? "error" : "errors"}${where}`);
  }
  return { parts: reading.parts };
}

function nameOf({ owner, name }: Place): string {
  return `${owner}/${name}`.toLowerCase();
}
