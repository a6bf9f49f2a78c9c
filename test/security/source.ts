/** The program's own source, looked through for what reads text. */
import { globSync, readFileSync } from "node:fs";
import { parseAst } from "rolldown/parseAst";

export interface SourceModule {
  readonly path: string;
  /** Every regular expression that stands in it, also those put together where the parts are known. */
  readonly patterns: readonly RegExp[];
  /** It makes regular expressions of what is known only as it runs. */
  readonly makesPatterns: boolean;
  readonly exportedFunctions: readonly string[];
}

/** Names that functions have which read or write text of others. */
export const READS_TEXT =
  /^(?:parse|read|escape|unescape|strip|clean|clip|quote|decode|match|mask|fill|split|find|print|shorten)(?:[A-Z]|e[dr]?$|ter$|ed$|able$|$)/;

export function sourceModules(): readonly SourceModule[] {
  return globSync(["src/**/*.ts", "app/**/*.ts"]).sort().map(moduleOf);
}

function moduleOf(path: string): SourceModule {
  const patterns: RegExp[] = [];
  let makesPatterns = false;
  const exportedFunctions: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const each of node) visit(each);
    } else if (isNode(node)) {
      if (node.type === "Literal" && isPattern(node.regex))
        patterns.push(new RegExp(node.regex.pattern, node.regex.flags));
      if (node.type === "NewExpression" && isNode(node.callee) && node.callee.name === "RegExp") makesPatterns = true;
      if (node.type === "ExportNamedDeclaration" && isNode(node.declaration)) {
        const { declaration } = node;
        if (declaration.type === "FunctionDeclaration" && isNode(declaration.id))
          exportedFunctions.push(`${declaration.id.name}`);
      }
      for (const each of Object.values(node)) visit(each);
    }
  };
  visit(parseAst(readFileSync(path, "utf8"), { lang: "ts" }));
  return { path, patterns, makesPatterns, exportedFunctions };
}

function isNode(value: unknown): value is { readonly type?: unknown; readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null;
}

function isPattern(value: unknown): value is { readonly pattern: string; readonly flags: string } {
  return isNode(value) && typeof value.pattern === "string" && typeof value.flags === "string";
}
