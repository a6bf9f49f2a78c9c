/** Every kind of effect that can be carried out. A new one is a file of its own and a line here. */
import { comment } from "./comment.ts";
import type { StoredHandler } from "./handler.ts";
import { refused } from "./refused.ts";

const ALL: readonly StoredHandler[] = [comment, refused];

export const HANDLERS: ReadonlyMap<string, StoredHandler> = new Map(ALL.map((each) => [each.kind, each]));
