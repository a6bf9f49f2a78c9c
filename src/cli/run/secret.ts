/** What agents join a group with, outside GitHub. */
import { refuseDebugger, takeEnvironment } from "../../private-environment.ts";

/** Never passed on to commands. */
export const SECRET_VARIABLE = "STAGEWRIGHT_COORDINATOR_SECRET";

/** The secret that this process was given; afterwards no command finds it here. `inherited`: the process's own. */
export function takeSecret(inherited: NodeJS.ProcessEnv): string | undefined {
  refuseDebugger();
  const { env, trouble } = takeEnvironment(inherited, (name) => name === SECRET_VARIABLE);
  if (trouble !== null) process.stderr.write(`commands can read ${SECRET_VARIABLE} in /proc: ${trouble}\n`);
  return env[SECRET_VARIABLE];
}
