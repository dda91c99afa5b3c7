// Who this node is to the Kubernetes API: takes up the kubeconfig when it appears or changes, and
// renews the token of the node's own account before it ends. A file that cannot be used changes
// nothing: what was in use stays, and without anything the daemon waits, serving what it knows.

import { readFileSync } from "node:fs";
import { errorText } from "../core/errors.ts";
import { nodeAccount } from "../core/node-account.ts";
import type { Random } from "../core/random.ts";
import { after, type BootMs, type Clock } from "../core/time.ts";
import { backoffMs } from "../k8s-sync/backoff.ts";
import { ApiClient } from "../k8s-sync/client.ts";
import { clusterUid } from "../k8s-sync/cluster-uid.ts";
import type { Kubeconfig } from "../k8s-sync/kubeconfig.ts";
import type { Outcome } from "../k8s-sync/outcome.ts";
import { writeSecretFile } from "../k8s-sync/secret-file.ts";
import { type TokenClaims, tokenClaims } from "../k8s-sync/service-account-token.ts";
import { type Sleep, timerSleep } from "../k8s-sync/sleep.ts";
import { fingerprint } from "../k8s-sync/token.ts";
import { requestToken } from "../k8s-sync/token-request.ts";
import type { CredentialsState } from "./credentials-findings.ts";
import type { DaemonClient } from "./daemon-client.ts";
import type { Logger } from "./logger.ts";
import type { Task } from "./tasks.ts";
import { isDue, leftMs, lifeMs, type Validity } from "./token-life.ts";

export interface CredentialsOptions {
  readonly node: string;
  /** Of the node's service account. */
  readonly namespace: string;
  readonly kubeconfig: string;
  /** Throws AppError KUBECONFIG_INVALID. */
  readonly load: () => Kubeconfig;
  readonly client: Pick<DaemonClient, "adopt" | "request" | "foreignCluster">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<Logger, "info" | "warn">;
  /** Of this node's Node object, as far as is known. */
  readonly nodeUid: () => string | null;
  /** Other credentials are in use than before. */
  readonly onChanged: () => void;
  readonly sleep?: Sleep;
}

const LOOK_EVERY_MS = 1_000;
const RETRY_BASE_MS = 5_000;
const RETRY_CAP_MS = 60_000;

/** The token file as it was read last. */
interface TokenFile {
  readonly path: string;
  readonly print: string;
  readonly claims: TokenClaims | null;
  /** Null: it was there already, or somebody else wrote it. */
  readonly gotAt: BootMs | null;
}

export class Credentials implements Task {
  readonly name = "credentials";
  readonly #options: CredentialsOptions;
  readonly #sleep: Sleep;
  /** Each node renews at a point of its own. */
  readonly #share: number;
  #print = "";
  #kubeconfig: Kubeconfig | null = null;
  #problem: string | null = null;
  #token: TokenFile | null = null;
  #failure: string | null = null;
  #failures = 0;
  #retryAt: BootMs | null = null;

  /** Takes the kubeconfig up, if it is there. */
  constructor(options: CredentialsOptions) {
    this.#options = options;
    this.#sleep = options.sleep ?? timerSleep;
    this.#share = options.random();
    this.#lookAtKubeconfig();
    this.#lookAtToken();
  }

  state(): CredentialsState {
    const { kubeconfig: path, client, clock } = this.#options;
    const now = { boot: clock.boot(), wall: clock.wall() };
    const validity = this.#validity();
    return {
      path,
      inUse: this.#kubeconfig !== null,
      problem: this.#problem,
      foreignCluster: client.foreignCluster,
      kind: this.#token === null ? "client certificate" : "token",
      validity,
      leftMs: validity === null ? null : leftMs(validity, this.#token?.gotAt ?? null, now),
      isRenewed: this.#renewable() !== null,
      renewalFailure: this.#failure,
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#lookAtKubeconfig();
      this.#lookAtToken();
      await this.#renewIfDue(signal);
      await this.#sleep(LOOK_EVERY_MS, signal);
    }
  }

  #lookAtKubeconfig(): void {
    const { kubeconfig: path, load, client, log, onChanged } = this.#options;
    const print = fingerprint(path);
    // One that could not be used may be mended by another file than itself.
    if (print === this.#print && this.#problem === null && print !== "") return;
    this.#print = print;
    try {
      const loaded = load();
      this.#problem = null;
      if (JSON.stringify(loaded) === JSON.stringify(this.#kubeconfig)) return;
      this.#kubeconfig = loaded;
      client.adopt(loaded);
      log.info({ event: "credentials", server: loaded.origin }, "the kubeconfig is in use");
      onChanged();
    } catch (thrown) {
      const problem = errorText(thrown);
      if (problem !== this.#problem) log.warn({ event: "credentials" }, problem);
      this.#problem = problem;
    }
  }

  #lookAtToken(): void {
    const setting = this.#kubeconfig?.token ?? null;
    if (setting === null) {
      this.#token = null;
      return;
    }
    const path = setting.kind === "file" ? setting.path : "";
    const print = setting.kind === "file" ? fingerprint(path) : setting.token;
    if (this.#token?.path === path && this.#token.print === print) return;
    const isNew = this.#token !== null;
    const text = setting.kind === "file" ? readToken(path) : setting.token;
    // While it is being replaced, or gone, the client uses the one before.
    if (text === null) return;
    this.#token = { path, print, claims: tokenClaims(text), gotAt: null };
    this.#renewed();
    if (isNew) this.#options.onChanged();
  }

  #renewed(): void {
    this.#failure = null;
    this.#failures = 0;
    this.#retryAt = null;
  }

  #validity(): Validity | null {
    if (this.#token !== null) return this.#token.claims;
    const { certificateIssuedAt: issuedAt, certificateExpiresAt: expiresAt } =
      this.#kubeconfig ?? {};
    return issuedAt == null || expiresAt == null ? null : { issuedAt, expiresAt };
  }

  /** The token, if it is of this node's own account and can be put into a file. */
  #renewable(): { claims: TokenClaims; file: TokenFile } | null {
    const file = this.#token;
    const { node, namespace } = this.#options;
    if (file === null || file.claims === null || file.path === "") return null;
    const { claims } = file;
    const isOwn = claims.account === nodeAccount(node) && claims.namespace === namespace;
    return isOwn ? { claims, file } : null;
  }

  async #renewIfDue(signal: AbortSignal): Promise<void> {
    const found = this.#renewable();
    if (found === null) return;
    const { clock, random, log } = this.#options;
    const now = { boot: clock.boot(), wall: clock.wall() };
    const left = leftMs(found.claims, found.file.gotAt, now);
    if (!isDue(found.claims, left, this.#share)) return;
    if (this.#retryAt !== null && now.boot < this.#retryAt) return;
    const failure = await this.#renew(found, now.boot, signal);
    if (signal.aborted) return;
    if (failure === null) {
      log.info({ event: "token-renewed" }, "the token of this node is renewed");
      return;
    }
    if (failure !== this.#failure) log.warn({ event: "token-not-renewed" }, failure);
    this.#failure = failure;
    const pause = { baseMs: RETRY_BASE_MS, capMs: RETRY_CAP_MS };
    this.#retryAt = after(clock.boot(), backoffMs(this.#failures, random, pause));
    this.#failures += 1;
  }

  /** Null: done; else why not. The old token stays where it is until the new one was accepted. */
  async #renew(
    { claims, file }: { claims: TokenClaims; file: TokenFile },
    sentAt: BootMs,
    signal: AbortSignal,
  ): Promise<string | null> {
    const { client, node, nodeUid } = this.#options;
    const uid = nodeUid();
    const asked = await requestToken(client, {
      namespace: claims.namespace,
      account: claims.account,
      lifeSeconds: lifeMs(claims) / 1_000,
      node: uid === null ? null : { name: node, uid },
      signal,
    });
    if (!asked.ok) return asked.failure.message;
    const tried = await this.#try(asked.value, signal);
    if (!tried.ok && tried.failure.kind === "unauthorized") return tried.failure.message;
    try {
      writeSecretFile(file.path, asked.value);
    } catch (thrown) {
      return `Cannot write "${file.path}": ${errorText(thrown)}`;
    }
    const { path } = file;
    const print = fingerprint(path);
    this.#token = { path, print, claims: tokenClaims(asked.value), gotAt: sentAt };
    this.#renewed();
    return null;
  }

  /** Whether the API server knows a token, by a connection of its own. */
  async #try(token: string, signal: AbortSignal): Promise<Outcome<string>> {
    const kubeconfig = this.#kubeconfig as Kubeconfig;
    const probe = new ApiClient({ ...kubeconfig, token: { kind: "fixed", token } });
    try {
      return await clusterUid(probe, { signal });
    } finally {
      await probe.close();
    }
  }
}

function readToken(path: string): string | null {
  try {
    const text = readFileSync(path, "utf8").trim();
    return text === "" ? null : text;
  } catch {
    return null;
  }
}
