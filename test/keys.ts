/** One RSA key pair for all apps of a test file: making a pair takes longer than most tests. */
import { makeKeys } from "../src/sandbox/world/index.ts";

export const KEYS = makeKeys();
