import { json, type Request, type Response } from "../server/message.ts";

export interface GraphqlHandler {
  handle(request: Request): Promise<Response>;
}

export const notYet: GraphqlHandler = {
  handle: async () => json(501, { message: "not implemented in the sandbox: GraphQL" }),
};
