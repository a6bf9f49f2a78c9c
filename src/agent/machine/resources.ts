/** Room on disk and in memory. */
import { statfs } from "node:fs/promises";
import { resolve } from "node:path";
import type { CheckOf } from "./check.ts";

export const checkDisk: CheckOf<"disk"> = async ({ path, freeBytes }, { workingDirectory }) => {
  try {
    const { bavail, bsize } = await statfs(resolve(workingDirectory, path));
    const free = bavail * bsize;
    if (free >= freeBytes) return null;
    return {
      category: "resource",
      message: `${sizeText(free)} are free, ${sizeText(freeBytes)} are needed`,
      remedy: "free space there, or name another path",
    };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EACCES") {
      return { category: "permission", message: "it may not be looked at", remedy: "let the runner's user read it" };
    }
    const isMissing = code === "ENOENT" || code === "ENOTDIR";
    return {
      category: isMissing ? "configuration" : "system",
      message: isMissing ? "there is no such path" : message,
      remedy: isMissing ? "make or mount it" : "look at the mount",
    };
  }
};

export const checkMemory: CheckOf<"memory"> = async ({ availableBytes }) => {
  const available = process.availableMemory();
  if (available >= availableBytes) return null;
  return {
    category: "resource",
    message: `${sizeText(available)} are available, ${sizeText(availableBytes)} are needed`,
    remedy: "end what uses it, or take a larger machine",
  };
};

/** "1.5 GiB" */
export function sizeText(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toFixed(1))} ${units[unit]}`;
}
