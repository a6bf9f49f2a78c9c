/** JSON as GitHub writes it: `JSON.parse` rounds integers that a double does not hold, and says nothing of it. */

/** Where a value may begin with as many digits as 2^53 has. Texts that only look like it cost time, no more. */
const LONG_INTEGER = /(?:^|[:,[\s])-?\d{16}/u;
const INTEGER = /^-?\d{1,20}$/u;

/**
 * What `JSON.parse` makes of it, but integers that it would round are bigints, as Octokit reads them from GitHub's
 * answers. A text without any is read at its full speed: looking at each value makes reading some ten times slower.
 * @throws SyntaxError when it is no JSON
 */
export function parseExactly(text: string): unknown {
  return LONG_INTEGER.test(text) ? JSON.parse(text, exactly) : JSON.parse(text);
}

function exactly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  return typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined && INTEGER.test(source)
    ? BigInt(source)
    : value;
}
