/** Values that several conditions and actions take. */
import { z } from "zod";

export const text = z.string().trim().min(1).max(255);
/** A user (`alice`), an app (`rex[bot]`) or a team (`@org/team`). */
export const name = z
  .string()
  .max(120)
  .regex(
    /^(?:[A-Za-z0-9][A-Za-z0-9_-]*(?:\[bot\])?|@[A-Za-z0-9][A-Za-z0-9_-]*\/[A-Za-z0-9][A-Za-z0-9_.-]*)$/,
    'expected a user ("alice"), an app ("rex[bot]") or a team ("@org/team")',
  );
const named = z.array(name).min(1).max(50);
/** One name or a list of names. */
export const names = z.union([name.transform((one) => [one]), named]);
/** One text or a list of texts. */
export const texts = z.union([text.transform((one) => [one]), z.array(text).min(1).max(100)]);
/** A comment's command, without its slash. */
export const commandName = z
  .string()
  .max(40)
  .regex(/^[a-z][a-z0-9-]*$/, 'expected a word of lower-case letters, digits and "-", without its slash');
