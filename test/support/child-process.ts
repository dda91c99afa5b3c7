// A TypeScript file run in a process of its own, killed when its test ends.

import type { ChildProcessByStdio, SpawnOptions } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";

const ROOT = resolve(import.meta.dirname, "../..");

export type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** `file` is relative to the repository; user and group IDs as numbers. */
export function childProcess(
  context: Pick<TestContext, "after">,
  file: string,
  args: readonly string[],
  options: Pick<SpawnOptions, "uid" | "gid" | "env" | "cwd"> = {},
): Child {
  const child = spawn(process.execPath, [resolve(ROOT, file), ...args], {
    cwd: "/",
    stdio: ["pipe", "pipe", "pipe"],
    ...options,
  });
  context.after(() => child.kill("SIGKILL"));
  return child;
}

/** The next chunk on stdout, trimmed; "" when it ended without one. */
export async function lineOf(child: Child): Promise<string> {
  const abort = new AbortController();
  const ended = once(child.stdout, "end", { signal: abort.signal }).then(() => [""]);
  const [chunk] = await Promise.race([once(child.stdout, "data", { signal: abort.signal }), ended]);
  ended.catch(() => {});
  abort.abort();
  return String(chunk).trim();
}

export function stderrOf(child: Child): Promise<string> {
  return text(child.stderr);
}

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end. */
export async function finished(child: Child): Promise<Finished> {
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { status: status as number | null, stdout, stderr };
}
