// The HTTP/1.1 connections to one API server: some for questions, others for watches, so that no
// number of watches makes a question wait. It knows nothing of Kubernetes.

import { Pool } from "undici";
import type { Kubeconfig } from "./kubeconfig.ts";

/** Enough for the Lease writes of a failover to run side by side, few enough for the server. */
const QUESTIONS_MAX = 8;
/** A watch keeps its connection; more resource types than this are not watched. */
const WATCHES_MAX = 32;
const CONNECT_TIMEOUT_MS = 3_000;
/** Longer than the 5 s of node Leases, so that they do not pay for a handshake each time; less than
 * the 90 s after which the API server closes. */
const KEEP_ALIVE_MS = 60_000;
const TCP_KEEPALIVE_MS = 15_000;

export class Connections {
  readonly #origin: string;
  readonly #options: Pool.Options;
  readonly watches: Pool;
  #questions: Pool;
  #closed = false;

  constructor(kubeconfig: Kubeconfig) {
    this.#origin = kubeconfig.origin;
    this.#options = poolOptions(kubeconfig);
    this.#questions = new Pool(this.#origin, { ...this.#options, connections: QUESTIONS_MAX });
    this.watches = new Pool(this.#origin, { ...this.#options, connections: WATCHES_MAX });
  }

  get questions(): Pool {
    return this.#questions;
  }

  /**
   * After a question that `pool` did not get answered: its idle connections probably lead to the
   * same dead peer, so later questions take new ones. Those under way still finish or time out.
   */
  suspect(pool: Pool): void {
    if (pool !== this.#questions || this.#closed) return;
    this.#questions = new Pool(this.#origin, { ...this.#options, connections: QUESTIONS_MAX });
    void pool.close().catch(() => undefined);
  }

  /** Cuts everything, questions under way included. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#questions.destroy(), this.watches.destroy()]);
  }
}

function poolOptions(kubeconfig: Kubeconfig): Pool.Options {
  const { ca, cert, key, servername, insecure } = kubeconfig.tls;
  return {
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    // The client keeps its own deadlines, which are exact.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEPALIVE_MS,
      rejectUnauthorized: !insecure,
      ...(ca === null ? {} : { ca }),
      ...(cert === null ? {} : { cert }),
      ...(key === null ? {} : { key }),
      ...(servername === null ? {} : { servername }),
    },
  };
}
