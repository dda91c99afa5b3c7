// The host's interfaces through rtnetlink. Every notification leads to a fresh dump of links and
// addresses, so that a lost or cut message costs nothing; the latest dump is the state. When the
// buffer is full, there are notifications in it: what they lead to is read after what was lost.

import netlink from "netlink";
import { ignoreNetlinkOverruns } from "../../native/index.ts";
import { AppError, errorText } from "../core/errors.ts";
import type { HostInterface } from "./host-interface.ts";
import { hostInterfaces } from "./host-interface.ts";

/** rtnetlink(7) multicast groups: anything that changes an interface or its addresses. */
const GROUPS = ["LINK", "IPV4_IFADDR", "IPV6_IFADDR", "IPV4_ROUTE"] as const;
/** linux/socket.h */
const AF_INET = 2;
/** A dump of a host with many interfaces takes milliseconds; later than this is no answer. */
const DUMP_TIMEOUT_MS = 2_000;
/** After a dump that failed. Without it, what it would have shown might never be seen. */
const RETRY_MS = 1_000;

/** Room for a burst of notifications. */
const RECEIVE_BUFFER_BYTES = 1 << 20;
const SEND_BUFFER_BYTES = 1 << 15;

type RtNetlink = ReturnType<typeof netlink.createRtNetlink>;

export interface LinkWatcherOptions {
  /** Called with all interfaces, first before `run` is ready, then after every change. */
  readonly onChange: (interfaces: readonly HostInterface[]) => void;
  /** A dump failed; it is tried again in a second, or at the next notification. */
  readonly onError: (error: AppError) => void;
}

export class LinkWatcher {
  readonly #options: LinkWatcherOptions;
  readonly ready: Promise<void>;
  #resolveReady: () => void = () => {};

  constructor(options: LinkWatcherOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#resolveReady = resolve;
  }

  /** Watches until aborted. Throws AppError NETLINK when a socket cannot be opened. */
  async run(signal: AbortSignal): Promise<void> {
    // Two sockets: a notification in the middle of a dump would confuse the library's assembly.
    const notifications = openSocket();
    const dumps = openSocket();
    let isDumping = false;
    let isStale = false;
    let retry: NodeJS.Timeout | undefined;
    const dump = async (): Promise<void> => {
      isStale = true;
      if (isDumping) return;
      isDumping = true;
      while (isStale && !signal.aborted) {
        isStale = false;
        clearTimeout(retry);
        const isDone = await this.#dumpOnce(dumps);
        if (!isDone && !signal.aborted) retry = setTimeout(() => void dump(), RETRY_MS);
      }
      isDumping = false;
    };
    notifications.on("message", () => void dump());
    notifications.on("invalid", () => void dump());
    notifications.socket.on("error", () => void dump());
    notifications.socket.on("truncatedMessage", () => void dump());
    dumps.socket.on("error", () => void dump());
    for (const group of GROUPS) notifications.addMembership(group);
    await dump();
    this.#resolveReady();
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    }
    clearTimeout(retry);
    notifications.socket.close();
    dumps.socket.close();
  }

  /** False: it failed. */
  async #dumpOnce(socket: RtNetlink): Promise<boolean> {
    try {
      const links = await socket.getLinks({}, {}, { timeout: DUMP_TIMEOUT_MS });
      const addresses = await socket.getAddresses({}, {}, { timeout: DUMP_TIMEOUT_MS });
      const routes = await socket.getRoutes({ family: AF_INET }, {}, { timeout: DUMP_TIMEOUT_MS });
      this.#options.onChange(hostInterfaces({ links, addresses, routes }));
      return true;
    } catch (thrown) {
      const message = `Cannot read the interfaces: ${errorText(thrown)}`;
      this.#options.onError(new AppError("NETLINK", message, { cause: thrown }));
      return false;
    }
  }
}

function openSocket(): RtNetlink {
  try {
    const sizes = { recvBufferSize: RECEIVE_BUFFER_BYTES, sendBufferSize: SEND_BUFFER_BYTES };
    const socket = netlink.createRtNetlink({ ref: true, ...sizes });
    // The library ends the process when the kernel says that the buffer was full.
    ignoreNetlinkOverruns();
    return socket;
  } catch (cause) {
    const message = `Cannot open an rtnetlink socket: ${errorText(cause)}`;
    throw new AppError("NETLINK", message, { cause });
  }
}
