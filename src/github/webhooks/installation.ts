/** What webhooks tell about where the app is installed. */
import type { z } from "zod";
import type { WebhookEvent } from "./events.ts";
import * as payloads from "./payloads.ts";
import { briefRepository } from "./values.ts";

export function readRepository(payload: unknown): WebhookEvent[] {
  const { action } = payloads.envelope.parse(payload);
  return action === "deleted" ? [{ kind: "repository_gone" }] : [];
}

export function readInstallation(payload: unknown): WebhookEvent[] {
  const event = payloads.installationEvent.parse(payload);
  switch (event.action) {
    case "created":
    case "unsuspend":
    case "new_permissions_accepted":
      return [
        {
          kind: "installed",
          since: installedAt(event.action, event.installation),
          repositories: (event.repositories ?? []).map((each) =>
            briefRepository(each.id, each.full_name, each.node_id, each.private),
          ),
        },
        ...(event.action === "new_permissions_accepted" ? [{ kind: "granted" } as const] : []),
      ];
    case "deleted":
    case "suspend":
      return [{ kind: "uninstalled", repositoryIds: null }];
    default:
      return [];
  }
}

function installedAt(action: string, installation: z.infer<typeof payloads.installationEvent>["installation"]) {
  switch (action) {
    case "created":
      return installation.created_at ?? null;
    case "unsuspend":
      return installation.updated_at ?? null;
    default:
      return null;
  }
}

export function readInstallationRepositories(payload: unknown): WebhookEvent[] {
  const event = payloads.installationRepositoriesEvent.parse(payload);
  const added = (event.repositories_added ?? []).flatMap((each) =>
    each.full_name === undefined ? [] : [briefRepository(each.id, each.full_name, each.node_id, each.private)],
  );
  const removed = (event.repositories_removed ?? []).map((each) => each.id);
  return [
    { kind: "installed", repositories: added, since: event.installation.updated_at ?? null },
    { kind: "uninstalled", repositoryIds: removed },
  ];
}
