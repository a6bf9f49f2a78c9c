/** A Probot app that does nothing: what webhooks cost at the least. Prints its port when it listens. */
import { Probot, Server } from "probot";

const server = new Server({
  port: Number(process.env.PORT),
  host: "127.0.0.1",
  Probot: Probot.defaults({
    appId: Number(process.env.APP_ID),
    privateKey: process.env.PRIVATE_KEY ?? "",
    secret: process.env.WEBHOOK_SECRET ?? "",
    logLevel: "fatal",
  }),
});
await server.load(() => undefined);
await server.start();
