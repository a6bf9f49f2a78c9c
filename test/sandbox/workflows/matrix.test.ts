import { describe, expect, test } from "vitest";
import { combinationName, expandMatrix, MatrixProblem } from "../../../src/sandbox/workflows/matrix.ts";

describe("expandMatrix", () => {
  test.each([
    [
      { a: [1, 2], b: ["x"] },
      [
        { a: 1, b: "x" },
        { a: 2, b: "x" },
      ],
    ],
    [{ include: [{ a: 1 }, { a: 2 }] }, [{ a: 1 }, { a: 2 }]],
    // GitHub's own example: https://docs.github.com/actions, "Expanding or adding matrix configurations".
    [
      {
        fruit: ["apple", "pear"],
        animal: ["cat", "dog"],
        include: [
          { color: "green" },
          { color: "pink", animal: "cat" },
          { fruit: "apple", shape: "circle" },
          { fruit: "banana" },
          { fruit: "banana", animal: "cat" },
        ],
      },
      [
        { fruit: "apple", animal: "cat", color: "pink", shape: "circle" },
        { fruit: "apple", animal: "dog", color: "green", shape: "circle" },
        { fruit: "pear", animal: "cat", color: "pink" },
        { fruit: "pear", animal: "dog", color: "green" },
        { fruit: "banana" },
        { fruit: "banana", animal: "cat" },
      ],
    ],
    [{ a: [1, 2], b: [1, 2], exclude: [{ a: 1, b: 2 }, { a: 2 }] }, [{ a: 1, b: 1 }]],
  ])("%j", (matrix, expected) => {
    expect(expandMatrix(matrix)).toEqual(expected);
  });

  test.each([[{ a: "x" }], [{ a: [] }], [{ include: "x" }], ["x"], [{ a: Array(300).fill(1) }]])(
    "%j is refused",
    (matrix) => {
      expect(() => expandMatrix(matrix)).toThrow(MatrixProblem);
    },
  );

  test("the values stand in the job's name", () => {
    expect(combinationName({ a: 1, b: "x" })).toBe(" (1, x)");
  });
});
