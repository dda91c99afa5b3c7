// What dies with the process of a simulated node: the shipped machine, responder and beacon engine,
// and what drives them.

import type { Ownership } from "../../../src/ownership/machine.ts";
import type { OwnershipEvent } from "../../../src/ownership/types.ts";
import type { ApiLink } from "./api-link.ts";
import type { NodeClock } from "./clock.ts";
import { Driver } from "./driver.ts";
import { cheapHash, sha256 } from "./hashes.ts";
import { interfaceOn } from "./lan.ts";
import type { Network } from "./network.ts";
import type { NodeOptions } from "./node-options.ts";
import { Proof } from "./proof.ts";
import { ResponderModel } from "./responder-model.ts";
import { TruthTask } from "./truth-task.ts";

export interface NodeProcess {
  readonly machine: Ownership;
  readonly responder: ResponderModel;
  readonly driver: Driver;
  readonly proof: Proof;
  /** When, in true time, it was told that its node is drained. */
  drainedAt: number;
}

export interface ProcessPorts {
  readonly incarnation: number;
  readonly clock: NodeClock;
  readonly link: ApiLink;
  readonly network: Network;
  readonly afterSend: (report: () => void) => void;
  /** What the responder thread has the main loop do. */
  readonly fromThread: (work: () => void) => void;
  readonly post: (source: string, work: () => void) => void;
  readonly step: (event: OwnershipEvent) => void;
  readonly onStopped: () => void;
}

const CLUSTER = "00".repeat(8);
const KEY = new Uint8Array(32);
/** Whoever simulates an attacker counts; here nobody does. */
const NO_HMAC = new Uint8Array(32);

export function newProcess(options: NodeOptions, ports: ProcessPorts): NodeProcess {
  const { name, code, settings, timings, api, onAnsweringChanged, onOffer } = options;
  const { incarnation, clock, link, network, afterSend, fromThread, step } = ports;
  const proof = new Proof(timings, clock.now());
  const machine = new code.Ownership({ node: name, timings, sha256, preempt: settings.preempt });
  const crypto = { hmac: () => NO_HMAC, sha256: cheapHash };
  const engine = new code.BeaconEngine({ node: name, incarnation, settings, ...crypto });
  engine.setCluster(CLUSTER, clock.now());
  engine.setKeys(KEY, [KEY], clock.now());
  const parts = { responder: new code.Grants(), engine };
  const responder = new ResponderModel(parts, {
    now: () => clock.now(),
    port: network.port,
    send: (segment, frame, to) => {
      if (frame.kind === "announce") options.onAnnounced(frame.address, segment, name);
      network.send(segment, frame, to);
    },
    onBeaconSent: (segment, sentAt, report) => {
      proof.beaconSent(segment, sentAt);
      afterSend(report);
    },
    onHeard: (address, segment, mac) =>
      fromThread(() => step({ type: "heard", address, interface: interfaceOn(segment), mac })),
    onPeer: (news) => {
      if (news.type === "name-conflict" || news.type === "foreign-cluster") return;
      fromThread(() => {
        if (news.type === "peer-complaint") truth.onComplaint(news.entries);
        step(news);
      });
    },
    onAsked: (asked) => fromThread(() => truth.onAsked(asked)),
    onAnsweringChanged,
  });
  const { queue, onMute } = options;
  const { post } = ports;
  const truth = new TruthTask({ queue, clock, machine, responder, post, step, onMute });
  truth.start();
  const driver = new Driver({
    node: name,
    ...{ incarnation, api, link, responder, onAnsweringChanged },
    timeoutMs: timings.writeTimeoutMs,
    localNow: () => clock.now(),
    post,
    step,
    onOffer: (address, to) => onOffer(address, name, to),
    onStopped: ports.onStopped,
  });
  return { machine, responder, driver, proof, drainedAt: Number.POSITIVE_INFINITY };
}
