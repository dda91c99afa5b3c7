// The JSON of an events.k8s.io/v1 Event, within the limits that the API server checks. Pure.

import { toMicroTime, type WallMs } from "../core/time.ts";

export interface EventRegarding {
  readonly kind: string;
  readonly apiVersion: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid?: string | undefined;
}

export interface EventInput {
  readonly regarding: EventRegarding;
  readonly type: "Normal" | "Warning";
  /** UpperCamelCase: why, for programs. */
  readonly reason: string;
  /** UpperCamelCase: what lbd did or did not do. */
  readonly action: string;
  /** For people. */
  readonly note: string;
}

/** Limits of the API server's validation of events.k8s.io/v1. */
const NOTE_BYTES_MAX = 1024;
const WORD_LENGTH_MAX = 128;
/** Of a DNS subdomain, which an Event's name is. */
const NAME_LENGTH_MAX = 253;

/** Two records with the same key are one series. */
export function eventKey(event: EventInput): string {
  const { kind, namespace, name, uid } = event.regarding;
  return JSON.stringify([kind, namespace ?? "", name, uid ?? "", event.reason, event.note]);
}

/** Events of objects in the cluster scope live in "default", where kubectl describe looks. */
export function eventNamespace(regarding: EventRegarding): string {
  return regarding.namespace || "default";
}

/** `suffix` makes it unique: lower-case hexadecimal. */
export function eventName(regarding: EventRegarding, suffix: string): string {
  const room = NAME_LENGTH_MAX - suffix.length - 1;
  const base = regarding.name.slice(0, room).replace(/[^a-z0-9]+$/, "") || "lbd";
  return `${base}.${suffix}`;
}

export function eventBody(
  event: EventInput,
  options: { name: string; component: string; instance: string; at: WallMs },
): unknown {
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: options.name, namespace: eventNamespace(event.regarding) },
    eventTime: toMicroTime(options.at),
    reportingController: options.component,
    reportingInstance: options.instance.slice(0, WORD_LENGTH_MAX),
    action: event.action.slice(0, WORD_LENGTH_MAX),
    reason: event.reason.slice(0, WORD_LENGTH_MAX),
    type: event.type,
    note: cutNote(event.note),
    regarding: event.regarding,
  };
}

/** At most 1,024 bytes of UTF-8, cut between characters. */
export function cutNote(note: string): string {
  if (Buffer.byteLength(note) <= NOTE_BYTES_MAX) return note;
  const ellipsis = "...";
  const bytes = Buffer.from(note).subarray(0, NOTE_BYTES_MAX - ellipsis.length);
  let end = bytes.length;
  // A continuation byte just behind the cut means that a character was cut through.
  const whole = Buffer.from(note);
  while (end > 0 && ((whole[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end).toString("utf8") + ellipsis;
}
