/** Every REST operation that the sandbox serves. */
import { actionRoutes } from "./actions.ts";
import { appRoutes } from "./apps.ts";
import { checkRoutes } from "./checks.ts";
import { commentRoutes } from "./comments.ts";
import { labelRoutes } from "./labels.ts";
import { metaRoutes } from "./meta.ts";
import { peopleRoutes } from "./people.ts";
import { pullRoutes } from "./pulls.ts";
import { repositoryRoutes } from "./repositories.ts";
import { reviewRoutes } from "./reviews.ts";
import type { Route } from "./route.ts";

export const routes: readonly Route[] = [
  ...metaRoutes,
  ...appRoutes,
  ...peopleRoutes,
  ...repositoryRoutes,
  ...pullRoutes,
  ...reviewRoutes,
  ...labelRoutes,
  ...commentRoutes,
  ...checkRoutes,
  ...actionRoutes,
];
