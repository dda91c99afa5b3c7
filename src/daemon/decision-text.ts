// The decisions that the responder thread is told of or makes, as one line each for the log of
// decisions. No key is ever part of a line. Null: nothing that anybody would look for.

import type { PeerNews } from "../beacon/news.ts";
import { formatEpoch } from "../core/epoch.ts";
import type { PeerEntry } from "../core/peer.ts";
import type { ToResponder } from "./responder-messages.ts";

export function commandText(message: ToResponder): string | null {
  switch (message.type) {
    case "interfaces":
      return `interfaces: ${message.interfaces.map(({ name }) => name).join(", ") || "none"}`;
    case "grant": {
      const where = message.interfaces.join(", ");
      return `grant ${message.address} at epoch ${formatEpoch(message.epoch)} on ${where}`;
    }
    case "revoke":
    case "announce":
      return `${message.type} ${message.address}`;
    case "beacon-keys": {
      const sends = message.sending === null ? "none to send with" : "one to send with";
      return `beacon keys: ${sends}, ${message.accepted.length} accepted`;
    }
    case "cluster":
      return `cluster ${message.cluster}`;
    case "state":
      return `state ${message.state}`;
    case "claim":
      return `claim ${entriesText(message.entries)} on ${message.interfaces.join(", ")}`;
    case "offer":
      return `offer ${entriesText(message.entries)} to ${message.to} on ${message.interface}`;
    case "complain":
      return `complain of ${entriesText(message.entries)} on ${message.interface}`;
    case "stand-in": {
      const what = message.mac === null ? "end standing in" : `stand in with ${message.mac}`;
      return `${what} for ${message.address} on ${message.interface}`;
    }
    case "withdraw":
      return "withdraw: peers are told what is still had";
    case "mute":
      return message.isMuted ? "mute" : "speak again";
    default:
      return null;
  }
}

export function newsText(news: PeerNews): string {
  const where = "interface" in news ? ` on ${news.interface}` : "";
  const who = "node" in news ? ` ${news.node}` : "";
  const state = "state" in news ? `, ${news.state}` : "";
  return `${news.type}${who}${where}${state}`;
}

function entriesText(entries: readonly PeerEntry[]): string {
  const [first] = entries;
  if (first === undefined) return "nothing";
  const more = entries.length - 1;
  return more === 0 ? first.address : `${first.address} and ${more} more`;
}
