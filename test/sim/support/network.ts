// The network cards of one simulated node, with the same port number on every segment. Below the
// daemon the host's kernel answers for its own addresses while it has power.

import { hostIp, macOfPort } from "./lan.ts";
import type { Frame, Port, Segment } from "./segment.ts";

export interface NetworkPorts {
  readonly segments: readonly Segment[];
  /** The segments that the node has an interface on. */
  readonly on: readonly number[];
  readonly isListening: () => boolean;
  readonly receive: (segment: number, frame: Frame, from: number) => void;
}

export class Network {
  readonly port: number;
  readonly #ports: NetworkPorts;
  hasPower = true;

  constructor(ports: NetworkPorts) {
    this.#ports = ports;
    const numbers = ports.segments.map((segment, index) => {
      return segment.attach(ports.on.includes(index) ? this.#portOn(index) : null);
    });
    this.port = numbers[0] ?? 0;
  }

  get on(): readonly number[] {
    return this.#ports.on;
  }

  /** The segments with carrier. */
  carriers(): number[] {
    const { on, segments } = this.#ports;
    return on.filter((index) => segments[index]?.hasCarrier(this.port) === true);
  }

  /** `to` null: to everybody. */
  send(segment: number, frame: Frame, to: number | null): void {
    this.#ports.segments[segment]?.send(frame, this.port, to);
  }

  #portOn(index: number): Port {
    const { isListening, receive } = this.#ports;
    return {
      get isListening() {
        return isListening();
      },
      takesDatagrams: true,
      receive: (frame, from) => {
        this.#answerForItself(index, frame, from);
        receive(index, frame, from);
      },
    };
  }

  #answerForItself(index: number, frame: Frame, from: number): void {
    if (!this.hasPower || frame.kind !== "probe") return;
    const { address } = frame;
    if (address !== hostIp(index, this.port)) return;
    this.send(index, { kind: "answer", address, mac: macOfPort(index, this.port) }, from);
  }
}
