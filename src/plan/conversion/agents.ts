/** The agents of a sai3-bench configuration: their addresses, and what their commands have to know of them. */
import { ADDRESS, splitAddress } from "../parsing/address.ts";
import { quote } from "../parsing/problems.ts";
import type { About, Section } from "./notes.ts";
import { distinct, isVariableValue, nameOf, wholeAt } from "./values.ts";

/** What agents listen at where the configuration names no port. */
const DEFAULT_PORT = 7167;
/** A plan that lists more would be larger than a plan may be. */
const MOST_LISTED = 1_000;
/** Names of variables whose values nobody is to read in a log. */
const SECRET = /SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|PRIVATE|ACCESS_KEY|ACCOUNT_KEY/i;

export interface ConvertedAgents {
  /** As the plan says it; null: not at all. */
  readonly agents: unknown;
  readonly count: number;
  /** Names of variables that hold secrets. */
  readonly secrets: readonly string[];
}

const AGENT_KEYS: Readonly<Record<string, About>> = {
  volumes: ["no meaning here", "a job mounts its own (`container: volumes`)"],
  kv_cache_dir: ["needs a command", "the cache of the benchmark's own program"],
};

/** @param template `path_template` of all agents; null: none is said */
export function agentsOf(distributed: Section, template: string | null): ConvertedAgents {
  const sections = distributed.sections("agents");
  if (sections.length === 0) return { agents: null, count: 1, secrets: [] };
  if (sections.length > MOST_LISTED) {
    distributed.tell("changed", "agents", `${sections.length} agents, of which the plan takes the number alone`);
    return { agents: Math.min(sections.length, 10_000), count: sections.length, secrets: [] };
  }
  const secrets = new Set<string>();
  const ids = new Set<string>();
  const addresses = new Set<string>();
  const agents = sections.map((section, index) => {
    const said = section.text("id");
    const name = nameOf(said ?? "") || `agent-${index}`;
    const id = distinct(name, ids);
    if (said !== null && id !== said) section.tell("changed", "id", `${quote(said)} is called ${id}`);
    const address = addressOf(section, addresses);
    const env = envOf(section, template, said ?? id);
    for (const variable of Object.keys(env)) if (SECRET.test(variable)) secrets.add(variable);
    section.rest(AGENT_KEYS);
    return { id, ...(address === null ? {} : { address }), ...(Object.keys(env).length === 0 ? {} : { env }) };
  });
  distributed.tell("mapped", "agents", `agents: ${sections.length}, each the job of a matrix, or a process of \`run\``);
  return { agents, count: sections.length, secrets: [...secrets].sort() };
}

function addressOf(section: Section, taken: Set<string>): string | null {
  const said = section.text("address");
  const port = wholeAt(section, "listen_port", 1, 65_535);
  if (said === null) return null;
  if (!ADDRESS.test(said)) {
    section.tell("changed", "address", `${quote(said)} is no host and port, left out`);
    return null;
  }
  const parts = splitPort(said);
  if (parts === null) {
    section.tell("changed", "address", `${quote(said)} has no port from 1 to 65535, left out`);
    return null;
  }
  const address = parts.port === null ? `${said}:${port ?? DEFAULT_PORT}` : said;
  if (taken.has(address)) {
    section.tell("changed", "address", `${address} is another agent's already, left out`);
    return null;
  }
  taken.add(address);
  if (parts.port === null) {
    section.tell("changed", "address", `${address}, with ${port === null ? "the usual port" : "its listen_port"}`);
  } else if (section.has("listen_port")) {
    section.tell("no meaning here", "listen_port", "the address has its port");
  }
  return address;
}

function splitPort(text: string): { readonly port: number | null } | null {
  try {
    const { port } = splitAddress(text);
    return port === 0 ? null : { port };
  } catch {
    return null;
  }
}

function envOf(section: Section, template: string | null, id: string): Readonly<Record<string, string>> {
  const env: Record<string, string> = { ...variablesOf(section) };
  const variable = (key: string, name: string, value: string | null): void => {
    if (value === null || Object.hasOwn(env, name)) return;
    if (isVariableValue(value)) {
      env[name] = value;
      section.tell("needs a command", key, `its command reads it as ${name}`);
    } else section.tell("changed", key, "cannot be the value of a variable, left out");
  };
  variable("target_override", "BENCH_TARGET", section.text("target_override"));
  variable("concurrency_override", "BENCH_CONCURRENCY", section.text("concurrency_override"));
  const own = section.text("path_template");
  if (own !== null || template !== null) {
    const path = (own ?? template ?? "").replaceAll("{id}", id);
    if (own !== null) variable("path_template", "BENCH_PATH_PREFIX", path);
    else if (isVariableValue(path)) env.BENCH_PATH_PREFIX ??= path;
  }
  for (const [name, value] of Object.entries(endpointsOf(section))) env[name] ??= value;
  return env;
}

/** `env`, with what is a variable of a plan. */
function variablesOf(section: Section): Readonly<Record<string, string>> {
  const env = section.section("env");
  if (env === null) return {};
  const taken: Record<string, string> = {};
  for (const name of env.keys()) {
    const value = env.text(name);
    if (!/^(?!STAGEWRIGHT_)[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(name) || value === null || !isVariableValue(value)) {
      env.tell("changed", name, "is no variable of a plan, left out");
    } else taken[name] = value;
  }
  section.tell("mapped", "env", "env of this agent");
  return taken;
}

/** `multi_endpoint` of the whole or of one agent, as variables. */
export function endpointsOf(section: Section): Readonly<Record<string, string>> {
  const endpoints = section.section("multi_endpoint");
  if (endpoints === null) return {};
  const list = endpoints.get("endpoints");
  const texts = Array.isArray(list) ? list.filter((each) => typeof each === "string") : [];
  const all = texts.join(" ");
  const strategy = endpoints.text("strategy");
  endpoints.rest({});
  if (texts.length === 0 || !isVariableValue(all)) {
    section.tell("changed", "multi_endpoint", "its endpoints cannot be the value of a variable, left out");
    return {};
  }
  section.tell(
    "needs a command",
    "multi_endpoint",
    `its command reads the ${texts.length} endpoints as BENCH_ENDPOINTS, parted by spaces, and shares its work out to them`,
  );
  return {
    BENCH_ENDPOINTS: all,
    ...(strategy === null || !isVariableValue(strategy) ? {} : { BENCH_ENDPOINT_STRATEGY: strategy }),
  };
}
