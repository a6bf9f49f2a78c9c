/** Secrets that protect nothing. */

/** As many characters as the docs ask for; `openssl rand -hex 32` has 64. */
const LEAST_LENGTH = 20;
/** Fewer different characters than this is one key held down. */
const LEAST_DIFFERENT = 6;
/** What examples and placeholders are made of: a secret of nothing but these is in somebody's list. */
const KNOWN_WORDS = [
  ..."change me set replace fill insert enter use put add your my our the a an some this that is it its to here".split(
    " ",
  ),
  ..."secret secrets password passwort passwd pass token key value string phrase everybody".split(" "),
  ..."webhook webhooks hook hooks github gh git app apps probot stagewright development dev production prod".split(" "),
  ..."test testing example sample default dummy demo placeholder todo super very really long random strong secure".split(
    " ",
  ),
  ..."admin root user letmein qwerty abc xyz foo bar baz hello world".split(" "),
];
const ONLY_KNOWN = new RegExp(`^(?:${KNOWN_WORDS.toSorted((a, b) => b.length - a.length).join("|")})+$`, "u");

/** Why a webhook secret protects nothing; null: no reason is seen. The secret itself is not in the answer. */
export function weakness(secret: string): string | null {
  const letters = secret.toLowerCase().replace(/[^a-z]/gu, "");
  if (letters !== "" && ONLY_KNOWN.test(letters)) {
    return "is made of words that stand in everybody's examples";
  }
  if (secret.length < LEAST_LENGTH) {
    return `has ${secret.length} character${secret.length === 1 ? "" : "s"}; expected at least ${LEAST_LENGTH} random ones`;
  }
  if (new Set(secret).size < LEAST_DIFFERENT) {
    return "repeats a few characters";
  }
  return null;
}
