// Sends frames in batches: slots are reserved on a socket, written into, and flushed before another
// socket is used.

import type { FrameSocket } from "../answering/frame-socket.ts";

export class FrameSender {
  /** Slots reserved on the socket in use. */
  #reserved = 0;
  readonly #counters = { sent: 0, "send-failed": 0 };

  get counters(): Readonly<Record<string, number>> {
    return this.#counters;
  }

  /** A slot to write a frame of so many bytes into, or null; a full batch is sent first. */
  reserve(socket: FrameSocket | null, bytes: number): Uint8Array | null {
    const slot = this.#slot(socket, bytes);
    if (slot !== null) return slot;
    this.flush(socket);
    return this.#slot(socket, bytes);
  }

  /** Every use of a socket ends with it. */
  flush(socket: FrameSocket | null): void {
    if (this.#reserved === 0) return;
    const sent = socket?.flush() ?? 0;
    this.#counters.sent += sent;
    this.#counters["send-failed"] += this.#reserved - sent;
    this.#reserved = 0;
  }

  #slot(socket: FrameSocket | null, bytes: number): Uint8Array | null {
    const slot = socket?.reserve(bytes) ?? null;
    if (slot !== null) this.#reserved += 1;
    return slot;
  }
}
