// Reads the body of a watch: bytes in, events out, and one last message that says why it ended when
// that was out of order. It opens nothing and does not reconnect.

import type { Readable } from "node:stream";
import { classifyThrown, classifyWatchError, timeoutFailure, tooLargeFailure } from "./classify.ts";
import { Deadline } from "./deadline.ts";
import { describeRequest, type RequestTarget } from "./describe.ts";
import type { ApiFailure } from "./outcome.ts";
import { LINE_LENGTH_MAX, LineSplitter, parseWatchLine, type WatchEvent } from "./watch-lines.ts";

export type WatchMessage =
  /** The server accepted the watch. */
  | { readonly type: "OPENED" }
  | WatchEvent
  /** The last message of a watch that did not end in order. */
  | { readonly type: "FAILED"; readonly failure: ApiFailure };

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Silence after which the connection is taken for dead. */
  readonly idleMs: number;
  /** For texts. */
  readonly server: string;
}

/** Ends without a message on abort and when the server ends the watch in order. */
export async function* readWatch(
  target: RequestTarget,
  body: Readable,
  options: WatchOptions,
): AsyncGenerator<WatchMessage, void> {
  const idle = new Deadline(options.idleMs, options.signal);
  const cut = (): void => void body.destroy(new Error("aborted"));
  // Destroyed before anybody iterates, it would raise an error that nobody handles.
  body.on("error", () => undefined);
  idle.signal.addEventListener("abort", cut, { once: true });
  if (idle.signal.aborted) cut();
  const ended = { server: options.server, during: "body" } as const;
  try {
    yield { type: "OPENED" };
    const splitter = new LineSplitter();
    for await (const chunk of body) {
      idle.refresh();
      for (const line of splitter.push(chunk as Uint8Array)) {
        const message = readLine(target, line);
        yield message;
        if (message.type === "FAILED") return;
      }
      if (splitter.overflowed) break;
    }
    if (splitter.overflowed) {
      yield { type: "FAILED", failure: tooLargeFailure(target, LINE_LENGTH_MAX) };
    } else if (splitter.pending) {
      yield { type: "FAILED", failure: classifyThrown(target, new Error("half an event"), ended) };
    }
  } catch (thrown) {
    if (options.signal.aborted) return;
    const failure = idle.expired
      ? timeoutFailure(target, options.server, options.idleMs)
      : classifyThrown(target, thrown, ended);
    yield { type: "FAILED", failure };
  } finally {
    idle.release();
    idle.signal.removeEventListener("abort", cut);
    body.destroy();
  }
}

function readLine(target: RequestTarget, line: string): WatchMessage {
  const parsed = parseWatchLine(line);
  switch (parsed.kind) {
    case "event":
      return parsed.event;
    case "error":
      return { type: "FAILED", failure: classifyWatchError(target, parsed.object) };
    case "malformed": {
      const asked = describeRequest(target).text;
      const message = `Cannot ${asked}: the server sent a line that is no watch event`;
      return { type: "FAILED", failure: { kind: "not-json", message } };
    }
  }
}
