/** What `stagewright --version` prints. */
import manifest from "../../package.json" with { type: "json" };

export const VERSION = manifest.version;
