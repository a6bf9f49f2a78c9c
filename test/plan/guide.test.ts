import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { planJsonSchema } from "../../src/plan/json-schema.ts";
import { boundTable, completionTable, endingTable, KEY_TABLES, keyTable } from "../../src/plan/key-table.ts";

const guide = readFileSync("docs/plan.md", "utf8");

describe("the guide says what the schemas say", () => {
  it.each(Object.entries(KEY_TABLES))("keys of %s", (_name, shape) => {
    expect(guide).toContain(`\n${keyTable(shape)}\n`);
  });

  it("completions, how they end, and bounds", () => {
    for (const table of [endingTable(), completionTable(), boundTable()])
      expect(table.split("\n").length).toBeGreaterThan(6);
    expect(guide).toContain(`\n${endingTable()}\n`);
    expect(guide).toContain(`\n${completionTable()}\n`);
    expect(guide).toContain(`\n${boundTable()}\n`);
  });

  it("and so does the JSON Schema that editors read", () => {
    expect(planJsonSchema()).toEqual(JSON.parse(readFileSync("schema/plan.json", "utf8")));
  });
});
