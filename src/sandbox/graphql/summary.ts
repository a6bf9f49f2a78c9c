/** What a GraphQL request asks for, read without executing it: for the log and for faults. */
import { Kind, parse } from "graphql";

export interface Summary {
  readonly kind: string;
  readonly name: string | null;
  /** Root fields, one entry per alias. */
  readonly fields: readonly string[];
}

/** Null: it is not GraphQL. */
export function summary(body: string): Summary | null {
  try {
    const sent: unknown = JSON.parse(body);
    if (typeof sent !== "object" || sent === null || !("query" in sent) || typeof sent.query !== "string") return null;
    const wanted = "operationName" in sent && typeof sent.operationName === "string" ? sent.operationName : null;
    const document = parse(sent.query, { noLocation: true });
    for (const definition of document.definitions) {
      if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
      const name = definition.name?.value ?? null;
      if (wanted !== null && name !== wanted) continue;
      const fields = definition.selectionSet.selections.flatMap((one) =>
        one.kind === Kind.FIELD ? [one.name.value] : [],
      );
      return { kind: definition.operation, name, fields };
    }
    return null;
  } catch {
    return null;
  }
}
