/** Which changes the compiler lets pass. The others cannot be made by mistake, so no test has to notice them. */
import { join } from "node:path";
import { API } from "typescript/unstable/sync";
import { type Mutant, mutate } from "./mutants.ts";
import { ROOT } from "./rooms.ts";

const CONFIG = join(ROOT, "tsconfig.json");
/** That something is not used any more: the linter's affair rather than an error. */
const UNUSED: ReadonlySet<number> = new Set([6133, 6138, 6192, 6196, 6198, 6199]);

/** One compiler that keeps what it knows of all other files. Errors count in the changed file alone. */
export class Compiler {
  #changed: { readonly path: string; readonly text: string } | null = null;
  readonly #api = new API({
    cwd: ROOT,
    fs: { readFile: (path) => (path === this.#changed?.path ? this.#changed.text : undefined) },
  });

  constructor() {
    this.#api.updateSnapshot({ openProjects: [CONFIG] });
  }

  accepts({ source, mutation }: Mutant): boolean {
    const path = join(ROOT, source.file);
    const changed = this.#changed === null ? [path] : [path, this.#changed.path];
    this.#changed = { path, text: mutate(source.text, mutation) };
    using snapshot = this.#api.updateSnapshot({ fileChanges: { changed } });
    const program = snapshot.getProject(CONFIG)?.program;
    if (program === undefined) throw new Error(`${CONFIG} holds no project.`);
    return program.getSemanticDiagnostics(path).every(({ code }) => UNUSED.has(code));
  }

  close(): void {
    this.#api.close();
  }
}
