// Real HTTP servers in pods behind a real EndpointSlice. The Service itself is made by the test.

import { join } from "node:path";
import type { ControlPlane } from "./control-plane.ts";
import type { LabProcess } from "./lab-process.ts";
import { type EndpointState, endpointSliceManifest } from "./manifests.ts";
import type { LabNode } from "./node.ts";
import { createPod, type LabPod } from "./pods.ts";

export interface BackendsPlan {
  readonly service: string;
  /** Default: `default`. */
  readonly namespace?: string;
  /** Port of the servers: the Service's targetPort. */
  readonly port: number;
  /** Name of the Service's port; default: unnamed. */
  readonly portName?: string;
  /** Pod names must be unique in the lab. */
  readonly pods: readonly { readonly name: string; readonly node: LabNode }[];
  /** Default: IPv4 only. */
  readonly families?: readonly ("IPv4" | "IPv6")[];
}

/** What a test may say about an endpoint; default: ready and serving, not terminating. */
export type EndpointConditions = Partial<Pick<EndpointState, "ready" | "serving" | "terminating">>;

const SERVER = join(import.meta.dirname, "backend-server.ts");

interface Backend {
  readonly pod: LabPod;
  readonly server: LabProcess;
  conditions: EndpointConditions;
}

export class Backends {
  readonly #controlPlane: ControlPlane;
  readonly #plan: BackendsPlan;
  readonly #backends = new Map<string, Backend>();

  constructor(controlPlane: ControlPlane, plan: BackendsPlan) {
    this.#controlPlane = controlPlane;
    this.#plan = plan;
  }

  pod(name: string): LabPod {
    return this.#backend(name).pod;
  }

  server(name: string): LabProcess {
    return this.#backend(name).server;
  }

  /** Starts one more pod and adds it to the slice. */
  async add(name: string, node: LabNode): Promise<void> {
    await this.start(name, node);
    await this.publish();
  }

  /** Changes what the slice says of one endpoint; the server goes on. */
  async setConditions(name: string, conditions: EndpointConditions): Promise<void> {
    this.#backend(name).conditions = conditions;
    await this.publish();
  }

  /** Takes the endpoint out of the slice, then ends its server. */
  async remove(name: string): Promise<void> {
    const { server } = this.#backend(name);
    this.#backends.delete(name);
    await this.publish();
    await server.kill();
  }

  /** For `deployBackends` and `add`: a pod that no slice knows yet. */
  async start(name: string, node: LabNode): Promise<void> {
    const pod = await createPod(this.#controlPlane.lab, name, node);
    const argv = [process.execPath, SERVER, name, String(this.#plan.port)];
    const server = pod.spawn("server", argv);
    await server.waitForOutput(/listening on/);
    this.#backends.set(name, { pod, server, conditions: {} });
  }

  /** Writes the slice of each family as it should be now. */
  async publish(): Promise<void> {
    const { service, namespace = "default", port, portName = "", families } = this.#plan;
    const items = (families ?? ["IPv4"]).map((family) =>
      endpointSliceManifest({
        ...{ service, namespace, port, portName, family },
        endpoints: this.#endpoints(family),
      }),
    );
    const list = { apiVersion: "v1", kind: "List", items };
    await this.#controlPlane.apply(JSON.stringify(list));
  }

  #endpoints(family: "IPv4" | "IPv6"): EndpointState[] {
    return [...this.#backends].map(([name, { pod, conditions }]) => ({
      name,
      nodeName: pod.node.name,
      address: family === "IPv4" ? pod.address() : pod.address6(),
      ready: true,
      serving: true,
      terminating: false,
      ...conditions,
    }));
  }

  #backend(name: string): Backend {
    const backend = this.#backends.get(name);
    if (backend === undefined) throw new Error(`There is no backend '${name}'`);
    return backend;
  }
}

/** Starts the pods, waits until their servers listen, and publishes them as endpoints. */
export async function deployBackends(
  controlPlane: ControlPlane,
  plan: BackendsPlan,
): Promise<Backends> {
  const backends = new Backends(controlPlane, plan);
  await Promise.all(plan.pods.map((pod) => backends.start(pod.name, pod.node)));
  await backends.publish();
  return backends;
}
