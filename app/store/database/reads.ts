/** What only reads begins so, and has none of the words below; anything else is taken for a write. */
const READS = /^\s*(?:select|with|values|pragma|explain)\b/iu;
const WRITES = /\b(?:insert|update|delete|merge|replace|truncate|create|alter|drop|call)\b/iu;

/** Whether a statement changes nothing for sure. */
export function changesNothing(statement: string): boolean {
  return READS.test(statement) && !WRITES.test(statement);
}
