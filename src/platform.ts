/** The systems that plans are run on. Linux is what is tested; macOS works but for what only /proc tells. */

/** Why no plan can be run on this system; null: one can. */
export function platformRefusal(platform: NodeJS.Platform): string | null {
  if (platform !== "win32") return null;
  return "plans are run on Linux (and macOS): a command is ended with its whole process group, which Windows does not have; in WSL or on a Linux runner they run";
}
