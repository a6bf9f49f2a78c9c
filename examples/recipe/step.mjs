// One step of the recipe: reads what the steps before it have left, and leaves its own deliverable.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.env.DELIVERABLES ?? "deliverables";
const [step = ""] = process.argv.slice(2);
const deficiencies = JSON.parse(process.env.STAGEWRIGHT_DEFICIENCIES ?? "[]");

const read = (name) => readFileSync(join(folder, `${name}.md`), "utf8");
const tell = (event) => appendFileSync(process.env.STAGEWRIGHT_EVENTS, `${JSON.stringify(event)}\n`);

function leave(name, lines) {
  mkdirSync(folder, { recursive: true });
  // What a person found wanting is answered, not forgotten.
  const answered = deficiencies.map(
    ({ deficiency }) => `- answered: ${typeof deficiency === "string" ? deficiency : JSON.stringify(deficiency)}`,
  );
  const text = `${[`# ${name}`, ...lines, ...answered].join("\n")}\n`;
  writeFileSync(join(folder, `${name}.md`), text);
  // Whoever is to approve it reads it in the log.
  console.log(text);
}

const STEPS = {
  research: () => leave("research", ["- reads are slow when caches are cold", "- writes are not"]),
  evaluation: () => {
    read("research");
    leave("evaluation", ["- chosen: warm the cache at start", "- dropped: larger caches"]);
  },
  "sub-tasks": () => {
    read("evaluation");
    const tasks = [
      { id: "warm", part: "read the index at start" },
      { id: "measure", part: "time the first reads", needs: ["warm"] },
      { id: "document", part: "say so in the guide" },
    ];
    tell({ tasks });
    leave(
      "sub-tasks",
      tasks.map(({ id, part }) => `- [ ] ${id}: ${part}`),
    );
  },
  execution: () => {
    const { id, part } = JSON.parse(process.env.STAGEWRIGHT_TASK ?? "{}");
    leave(`execution-${id}`, [`- done: ${part}`]);
  },
  validation: () => {
    const parts = [...read("sub-tasks").matchAll(/^- \[ \] (\S+): /gmu)].map(([, id]) => id);
    const missing = parts.filter((id) => !existsSync(join(folder, `execution-${id}.md`)));
    leave(
      "validation",
      parts.map((id) => `- ${missing.includes(id) ? "missing" : "found"}: ${id}`),
    );
    tell({ metric: { name: "parts", value: parts.length - missing.length, agg: "sum" } });
    if (missing.length > 0) throw new Error(`not there: ${missing.join(", ")}`);
  },
  review: () =>
    leave(
      "review",
      readdirSync(folder)
        .sort()
        .map((file) => `- read: ${file}`),
    ),
  commit: () => {
    read("review");
    leave("commit", ["Warm the cache at start", "", "The first reads were slow; they no longer are."]);
  },
};

const work = STEPS[step];
if (work === undefined) throw new Error(`there is no step "${step}": expected one of ${Object.keys(STEPS).join(", ")}`);
work();
