// Why a file cannot be read, in words instead of an errno. Says nothing of what is in it.

import { errorText } from "./errors.ts";

const REASONS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ENOENT: "there is no such file",
    ENOTDIR: "a part of the path is a file, not a folder",
    EISDIR: "it is a folder, not a file",
    EACCES: "this user may not read it",
    EPERM: "this user may not read it",
  }),
);

/** The code of a failed system call, "ENOENT"; "" for anything else that was thrown. */
export function errnoOf(thrown: unknown): string {
  const code = thrown instanceof Error ? (thrown as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : "";
}

/** The reason as the end of a sentence; the thrown text where there are no better words. */
export function whyUnreadable(thrown: unknown): string {
  return REASONS.get(errnoOf(thrown)) ?? errorText(thrown);
}
