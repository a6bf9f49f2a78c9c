import { isObjectType } from "graphql";
import { describe, expect, it } from "vitest";
import { githubSchema, types } from "../../src/sandbox/graphql/handler.ts";

describe("the types", () => {
  it.each(types.map((type) => [type.name, type] as const))(
    "%s has only fields that GitHub's has",
    async (name, type) => {
      const official = (await githubSchema()).getType(name);
      if (!isObjectType(official)) throw new Error(`${name} is not an object type of GitHub's`);
      const known = new Set(Object.keys(official.getFields()));
      expect(type.fields.filter((field) => !known.has(field))).toEqual([]);
    },
  );
});
