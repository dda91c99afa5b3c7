// The passwords of BGP peers (RFC 2385) that stand in Secrets. What was read is kept in the store:
// a node that starts without an API, or whose Secret is gone, goes on as before.

import type { BgpPeer } from "../config/bgp-peer.ts";
import type { ApiRequests } from "../k8s-sync/client.ts";
import { readPassword } from "../k8s-sync/password-secret.ts";
import type { Store } from "../store/store.ts";

export type Password =
  | { readonly kind: "none" }
  | { readonly kind: "known"; readonly text: string }
  | { readonly kind: "unknown"; readonly why: string };

export type PasswordOf = (peer: Pick<BgpPeer, "password">) => Password;

const SETTING = "bgp-passwords";

export class PeerPasswords {
  readonly #client: ApiRequests;
  readonly #namespace: string;
  readonly #store: Pick<Store, "setting" | "saveSetting">;
  /** By name of the Secret. */
  readonly #known: Map<string, string>;
  readonly #problems = new Map<string, string>();

  constructor(options: {
    readonly client: ApiRequests;
    /** Of the configuration; a Secret is read from no other. */
    readonly namespace: string;
    readonly store: Pick<Store, "setting" | "saveSetting">;
  }) {
    this.#client = options.client;
    this.#namespace = options.namespace;
    this.#store = options.store;
    this.#known = restored(options.store.setting(SETTING));
  }

  readonly of: PasswordOf = ({ password }) => {
    if (password === null) return { kind: "none" };
    if ("text" in password) return { kind: "known", text: password.text };
    const text = this.#known.get(password.secret);
    if (text !== undefined) return { kind: "known", text };
    const why = this.#problems.get(password.secret) ?? "it has not been read yet";
    return { kind: "unknown", why: `Secret "${password.secret}": ${why}` };
  };

  /** By name of the Secret: why it could not be read last. */
  get problems(): ReadonlyMap<string, string> {
    return this.#problems;
  }

  /** Reads those that the peers name; true when another password is known then. */
  async read(peers: readonly Pick<BgpPeer, "password">[]): Promise<boolean> {
    const names = new Set(
      peers.flatMap(({ password }) =>
        password !== null && "secret" in password ? [password.secret] : [],
      ),
    );
    const changes = await Promise.all([...names].map((name) => this.#read(name)));
    const gone = [...this.#known.keys()].filter((name) => !names.has(name));
    for (const name of gone) this.#known.delete(name);
    for (const name of this.#problems.keys()) if (!names.has(name)) this.#problems.delete(name);
    const isNews = changes.includes(true) || gone.length > 0;
    if (isNews) this.#save();
    return isNews;
  }

  async #read(name: string): Promise<boolean> {
    const read = await readPassword(this.#client, this.#namespace, name);
    if (!read.ok) {
      this.#problems.set(name, read.failure.message);
      return false;
    }
    if (read.value.kind === "damaged") {
      this.#problems.set(name, read.value.problem);
      return false;
    }
    this.#problems.delete(name);
    if (this.#known.get(name) === read.value.text) return false;
    this.#known.set(name, read.value.text);
    return true;
  }

  #save(): void {
    const text = JSON.stringify(Object.fromEntries(this.#known));
    this.#store.saveSetting(SETTING, Buffer.from(text, "utf8"));
  }
}

function restored(saved: Uint8Array | null): Map<string, string> {
  if (saved === null) return new Map();
  try {
    const read: unknown = JSON.parse(Buffer.from(saved).toString("utf8"));
    const entries = Object.entries(typeof read === "object" && read !== null ? read : {});
    return new Map(
      entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  } catch {
    return new Map();
  }
}
