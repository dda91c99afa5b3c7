// A real control plane: etcd and kube-apiserver in a namespace on the management segment, with RBAC
// and certificates of its own. There is no controller manager, scheduler or kubelet: nobody removes
// orphans, finishes the deletion of a namespace, or changes the status of a node.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CertificateAuthority, type User } from "./certificates.ts";
import type { CommandResult } from "./command.ts";
import { API_PORT, apiServerArguments, etcdArguments } from "./control-plane-arguments.ts";
import { eventually } from "./eventually.ts";
import type { LabHost } from "./host.ts";
import { type KubeconfigUser, writeKubeconfig } from "./kubeconfig.ts";
import { kubernetesBinaries } from "./kubernetes-binaries.ts";
import type { Lab } from "./lab.ts";
import type { LabProcess } from "./lab-process.ts";
import { openOnLoopback } from "./loopback.ts";
import { namespaceManifest, nodeManifest } from "./manifests.ts";

export interface ControlPlaneOptions {
  /** Services may have IPv6 cluster addresses too. */
  readonly dualStack?: boolean;
  readonly apiServerArguments?: readonly string[];
}

export interface KubeconfigOptions {
  /** Default: the API server's address on the management segment. */
  readonly server?: string;
}

export interface ServiceAccountOptions extends KubeconfigOptions {
  readonly durationSeconds?: number;
  /** The kubeconfig names a file with the token, as a pod's would. */
  readonly tokenInFile?: boolean;
}

const ADMIN: User = { name: "lab-admin", groups: ["system:masters"] };
const READY_MS_MAX = 60_000;
const DEPLOY_FOLDER = join(import.meta.dirname, "../../deploy");
const LBD_NAMESPACES = ["lbd-system", "metallb-system"];
const SERVICE_ACCOUNT = "lbd";

export class ControlPlane {
  readonly lab: Lab;
  readonly host: LabHost;
  /** Folder of etcd, kube-apiserver, kube-proxy and kubectl. */
  readonly binaries: string;
  readonly authority: CertificateAuthority;
  /** https://172.30.0.1:6443 */
  readonly server: string;
  /** Kubeconfig file of a user who may do anything. */
  readonly adminKubeconfig: string;
  readonly #commands: { etcd: string[]; apiServer: string[] };
  #etcd: LabProcess | null = null;
  #apiServer: LabProcess | null = null;
  #kubeconfigs = 0;

  private constructor(
    lab: Lab,
    made: { binaries: string; authority: CertificateAuthority; commands: Commands; admin: string },
  ) {
    this.lab = lab;
    this.host = lab.apiHost;
    this.binaries = made.binaries;
    this.authority = made.authority;
    this.server = serverOf(lab);
    this.adminKubeconfig = made.admin;
    this.#commands = made.commands;
  }

  /** Starts both and returns when the API server is ready. */
  static async start(lab: Lab, options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const binaries = await kubernetesBinaries();
    const folder = lab.apiHost.folder;
    const address = lab.apiHost.address("management");
    const authority = await CertificateAuthority.create(join(folder, "pki"));
    const names = ["DNS:localhost", "DNS:kubernetes.default.svc", "IP:127.0.0.1", `IP:${address}`];
    const [serving, user] = await Promise.all([authority.serving(names), authority.client(ADMIN)]);
    const admin = writeKubeconfig(join(folder, "admin.kubeconfig"), {
      server: serverOf(lab),
      certificateAuthority: authority.certificate,
      user,
    });
    const commands = {
      etcd: etcdArguments(binaries, memoryFolder(lab)),
      apiServer: apiServerArguments({
        ...{ binaries, address, authority, serving },
        dualStack: options.dualStack ?? false,
        extraArguments: options.apiServerArguments ?? [],
      }),
    };
    const controlPlane = new ControlPlane(lab, { binaries, authority, commands, admin });
    // The API server tries to reach etcd for a while: they may start side by side.
    controlPlane.startEtcd();
    await controlPlane.startApiServer();
    return controlPlane;
  }

  startEtcd(): void {
    this.#etcd = this.host.spawn("etcd", this.#commands.etcd);
  }

  /** By default at once: an orderly end takes 7 s, in which etcd waits for its open watches. */
  async stopEtcd(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.#etcd?.kill(signal, READY_MS_MAX);
    this.#etcd = null;
  }

  /** Ends etcd and starts it on the same data; returns when the API server reads from it again. */
  async restartEtcd(): Promise<void> {
    await this.stopEtcd();
    this.startEtcd();
    await this.waitUntilReady();
    // Ready is said a second before the API server has found its way back to etcd.
    const read = () => this.tryKubectl(["get", "--raw", "/api/v1/namespaces/default"]);
    await eventually("a read from etcd", read, {
      timeoutMs: READY_MS_MAX,
      until: (result) => result.code === 0,
    });
  }

  async startApiServer(): Promise<void> {
    this.#apiServer = this.host.spawn("kube-apiserver", this.#commands.apiServer);
    await this.waitUntilReady();
  }

  /** By default at once, as in a crash: an orderly end would wait for open watches. */
  async stopApiServer(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.#apiServer?.kill(signal, READY_MS_MAX);
    this.#apiServer = null;
  }

  /** The API server accepts connections (the kernel does) and never answers. */
  async freezeApiServer(): Promise<void> {
    await this.#apiServer?.freeze();
  }

  thawApiServer(): void {
    this.#apiServer?.thaw();
  }

  async waitUntilReady(): Promise<void> {
    const what = "the API server to be ready";
    const url = `https://127.0.0.1:${API_PORT}/readyz`;
    const argv = ["curl", "-sS", "-m", "2", "--cacert", this.authority.certificateFile, url];
    const ask = async () => {
      const { stdout, stderr } = await this.host.tryRun(argv);
      return stdout + stderr;
    };
    await eventually(what, () => this.#running().whileRunning(what, ask), {
      timeoutMs: READY_MS_MAX,
      intervalMs: 50,
      until: (said) => said === "ok",
    });
  }

  /** Runs kubectl as admin and returns what it printed; throws unless it exits with 0. */
  async kubectl(argv: readonly string[], input?: string): Promise<string> {
    const result = await this.tryKubectl(argv, input === undefined ? {} : { input });
    if (result.code === 0) return result.stdout;
    throw new Error(`kubectl ${argv.join(" ")}: status ${result.code}: ${result.stderr.trim()}`);
  }

  tryKubectl(
    argv: readonly string[],
    options: { input?: string; kubeconfig?: string } = {},
  ): Promise<CommandResult> {
    const { kubeconfig = this.adminKubeconfig, ...rest } = options;
    const env = { KUBECONFIG: kubeconfig, KUBECACHEDIR: join(this.host.folder, "kubectl-cache") };
    return this.host.tryRun([join(this.binaries, "kubectl"), ...argv], { ...rest, env });
  }

  /** `kubectl get <argv> -o json`, parsed. */
  async get<T>(...argv: readonly string[]): Promise<T> {
    return JSON.parse(await this.kubectl(["get", ...argv, "-o", "json"])) as T;
  }

  async apply(yaml: string): Promise<void> {
    await this.kubectl(["apply", "-f", "-"], yaml);
  }

  /** A kubeconfig file for a user with a client certificate. */
  async kubeconfig(user: User = ADMIN, options: KubeconfigOptions = {}): Promise<string> {
    return this.#writeKubeconfig(user.name, await this.authority.client(user), options);
  }

  async expiredCertificateKubeconfig(
    user: User = ADMIN,
    options: KubeconfigOptions = {},
  ): Promise<string> {
    return this.#writeKubeconfig("expired", await this.authority.expiredClient(user), options);
  }

  /**
   * Makes the API server reachable for the test process itself, which is in no namespace of the
   * lab; returns the `server` for kubeconfig files, `https://127.0.0.1:<port>`.
   */
  async openOnLoopback(): Promise<string> {
    return `https://127.0.0.1:${await openOnLoopback(this.host, API_PORT)}`;
  }

  /** A kubeconfig file with a token of the service account, from the TokenRequest API. */
  async serviceAccountKubeconfig(
    namespace: string,
    name: string,
    options: ServiceAccountOptions = {},
  ): Promise<string> {
    const duration = `--duration=${options.durationSeconds ?? 86_400}s`;
    const printed = await this.kubectl(["create", "token", name, "-n", namespace, duration]);
    const token = printed.trim();
    if (options.tokenInFile !== true) return this.#writeKubeconfig(name, { token }, options);
    const tokenFile = `${this.#newPath(name)}.token`;
    writeFileSync(tokenFile, token, { mode: 0o600 });
    return this.#writeKubeconfig(name, { tokenFile }, options);
  }

  /** Creates the Node objects of the lab's nodes, Ready; there is no kubelet that would. */
  async registerNodes(): Promise<void> {
    const list = { apiVersion: "v1", kind: "List", items: this.lab.nodes.map(nodeManifest) };
    await this.kubectl(["create", "-f", "-"], JSON.stringify(list));
  }

  async setNodeReady(name: string, status: "True" | "False" | "Unknown"): Promise<void> {
    const patch = { status: { conditions: [{ type: "Ready", status, reason: "Lab" }] } };
    const what = ["patch", "node", name, "--subresource=status", "-p", JSON.stringify(patch)];
    await this.kubectl(what);
  }

  /**
   * Custom resources (unless they are left out), namespaces and permissions of lbd; returns the
   * daemons' kubeconfig file.
   */
  async installLbd({ definitions = true } = {}): Promise<string> {
    const names = [...(definitions ? ["crds.yaml"] : []), "rbac.yaml", "shared-account.yaml"];
    const files = names.map((name) => join(DEPLOY_FOLDER, name));
    const namespaces = LBD_NAMESPACES.map((name) => JSON.stringify(namespaceManifest(name)));
    const texts = files.map((file) => readFileSync(file, "utf8"));
    await this.apply([...namespaces, ...texts].join("\n---\n"));
    const established = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"];
    if (definitions) await this.kubectl(established);
    return this.serviceAccountKubeconfig("lbd-system", SERVICE_ACCOUNT);
  }

  #running(): LabProcess {
    if (this.#apiServer === null) throw new Error("The API server is stopped");
    return this.#apiServer;
  }

  #newPath(name: string): string {
    this.#kubeconfigs += 1;
    return join(this.host.folder, `${name.replaceAll(":", "-")}-${this.#kubeconfigs}.kubeconfig`);
  }

  #writeKubeconfig(name: string, user: KubeconfigUser, options: KubeconfigOptions): string {
    return writeKubeconfig(this.#newPath(name), {
      server: options.server ?? this.server,
      certificateAuthority: this.authority.certificate,
      user,
    });
  }
}

interface Commands {
  etcd: string[];
  apiServer: string[];
}

function serverOf(lab: Lab): string {
  return `https://${lab.apiHost.address("management")}:${API_PORT}`;
}

/** etcd's data is in memory where there is a memory file system: a slow disk must not matter. */
function memoryFolder(lab: Lab): string {
  const parent = existsSync("/dev/shm") ? "/dev/shm" : lab.folder;
  const folder = join(parent, `lbd-lab-${lab.id}`);
  lab.context.ledger.addFolder(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
