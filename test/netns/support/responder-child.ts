// The program that test/netns/responder*.test.ts and link-watcher.test.ts run inside a node: the
// real responder thread, told of the interfaces by the real link watcher as in the daemon, and
// nothing else of it. It does what it is told and tells what it sees. No checks here.

import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { DEFAULT_BEACON_SETTINGS } from "../../../src/beacon/engine-types.ts";
import type { PeerNews } from "../../../src/beacon/news.ts";
import { BEACON_PORT } from "../../../src/beacon/socket.ts";
import { type HostLinks, hostLinks } from "../../../src/daemon/host-links.ts";
import { Responder } from "../../../src/daemon/responder.ts";
import type {
  FromResponder,
  ResponderReport,
  ToResponder,
} from "../../../src/daemon/responder-messages.ts";
import type { HostInterface } from "../../../src/link/host-interface.ts";
import { LinkWatcher } from "../../../src/link/link-watcher.ts";

export type ChildCommand =
  | { readonly kind: "tell"; readonly message: ToResponder }
  | { readonly kind: "report" }
  /** Keeps the main thread from doing anything else. */
  | { readonly kind: "block"; readonly milliseconds: number }
  | { readonly kind: "stop" };

export type ChildMessage =
  | { readonly kind: "ready"; readonly realtime: string | null }
  | { readonly kind: "interfaces"; readonly interfaces: readonly HostInterface[] }
  | { readonly kind: "peer"; readonly news: PeerNews }
  | { readonly kind: "heard"; readonly heard: Extract<FromResponder, { type: "heard" }> }
  | { readonly kind: "report"; readonly report: ResponderReport }
  | { readonly kind: "blocked" | "unblocked" }
  | { readonly kind: "link-error"; readonly message: string };

const stop = new AbortController();
let links: HostLinks | null = null;
let realtime: string | null = null;

const responder = new Responder({
  start: { node: "n1", incarnation: 1, settings: DEFAULT_BEACON_SETTINGS, port: BEACON_PORT },
  onAsked: () => {},
  onSeen: () => {},
  onProbed: () => {},
  onSighted: () => {},
  onProblems: () => {},
  onPeer: (news) => tell({ kind: "peer", news }),
  onHeard: (heard) => tell({ kind: "heard", heard }),
  onReady: (why) => {
    realtime = why;
  },
});
const watcher = new LinkWatcher({
  onChange: (interfaces) => {
    tell({ kind: "interfaces", interfaces });
    const found = hostLinks(interfaces, { exclude: [], promiscuous: ["^eth1$"] });
    if (isDeepStrictEqual(found, links)) return;
    links = found;
    responder.tell({ type: "interfaces", interfaces: found.answering });
  },
  onError: ({ message }) => tell({ kind: "link-error", message }),
});

function tell(message: ChildMessage): void {
  process.send?.(message);
}

/** The counters as they are now, not those of the last second. */
async function report(): Promise<void> {
  const before = responder.progress;
  responder.tell({ type: "report", withAnswers: true });
  while (responder.progress === before) await sleep(1);
  tell({ kind: "report", report: responder.report() });
}

async function block(milliseconds: number): Promise<void> {
  // Said before the first turn of the loop that does not end.
  await new Promise((resolve) => process.send?.({ kind: "blocked" }, resolve));
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  tell({ kind: "unblocked" });
}

process.on("disconnect", () => process.exit());
process.on("message", (command: ChildCommand) => {
  if (command.kind === "tell") responder.tell(command.message);
  else if (command.kind === "report") void report();
  else if (command.kind === "block") void block(command.milliseconds);
  else stop.abort();
});

const running = Promise.all([responder.run(stop.signal), watcher.run(stop.signal)]);
await Promise.race([running, Promise.all([responder.ready, watcher.ready])]);
tell({ kind: "ready", realtime });
await running;
process.disconnect?.();
