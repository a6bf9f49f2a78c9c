export * from "./actions.ts";
export * from "./checks.ts";
export * from "./code.ts";
export * from "./hooks.ts";
export * from "./people.ts";
export * from "./pulls.ts";
