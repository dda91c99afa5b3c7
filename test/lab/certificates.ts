// A certificate authority for one lab, made with openssl: the API server's certificate, client
// certificates of users (common name = user, organisations = groups), and the key that signs
// tokens.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.ts";

export interface KeyPair {
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface User {
  readonly name: string;
  readonly groups?: readonly string[];
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const VALID_DAYS = "30";

export class CertificateAuthority {
  readonly certificateFile: string;
  /** Signs service-account tokens, which are checked with the public key. */
  readonly tokenKeyFile: string;
  readonly tokenPublicKeyFile: string;
  readonly #folder: string;
  readonly #keyFile: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.certificateFile = join(folder, "ca.crt");
    this.#keyFile = join(folder, "ca.key");
    this.tokenKeyFile = join(folder, "service-account.key");
    this.tokenPublicKeyFile = join(folder, "service-account.pub");
  }

  static async create(folder: string): Promise<CertificateAuthority> {
    mkdirSync(folder, { recursive: true });
    const authority = new CertificateAuthority(folder);
    const output = ["-keyout", authority.#keyFile, "-out", authority.certificateFile];
    const subject = ["-subj", "/CN=lab-ca", "-days", VALID_DAYS];
    const authorityMade = run(["openssl", "req", "-x509", ...NEW_KEY, ...subject, ...output]);
    const { tokenKeyFile, tokenPublicKeyFile } = authority;
    const curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    await run(["openssl", "genpkey", ...curve, "-out", tokenKeyFile]);
    await run(["openssl", "pkey", "-in", tokenKeyFile, "-pubout", "-out", tokenPublicKeyFile]);
    await authorityMade;
    return authority;
  }

  get certificate(): string {
    return readFileSync(this.certificateFile, "utf8");
  }

  /** A server certificate for these names, each `DNS:name` or `IP:address`. */
  serving(names: readonly string[]): Promise<KeyPair> {
    const extensions = ["extendedKeyUsage=serverAuth", `subjectAltName=${names.join(",")}`];
    return this.#issue("serving", "/CN=kube-apiserver", extensions);
  }

  client(user: User): Promise<KeyPair> {
    return this.#issue(slug(user.name), subjectOf(user), ["extendedKeyUsage=clientAuth"]);
  }

  /** A client certificate that ended yesterday. */
  async expiredClient(user: User): Promise<KeyPair> {
    const stem = join(this.#folder, `expired-${slug(user.name)}`);
    const pair = { certificateFile: `${stem}.crt`, keyFile: `${stem}.key` };
    const request = `${stem}.csr`;
    const subject = ["-subj", subjectOf(user), "-keyout", pair.keyFile, "-out", request];
    await run(["openssl", "req", "-new", ...NEW_KEY, ...subject]);
    // Of openssl 3.0's commands only `ca` sets both ends of the validity; it wants a database.
    const settings = ["database", "serial", "new_certs_dir"].map((key) => `${key}=${stem}.${key}`);
    const config = ["[ca]", "default_ca=lab", "[lab]", ...settings, "default_md=sha256"];
    config.push("policy=any", "[any]", "commonName=supplied", "organizationName=optional");
    writeFileSync(`${stem}.cnf`, `${config.join("\n")}\n`);
    writeFileSync(`${stem}.database`, "");
    writeFileSync(`${stem}.serial`, "01\n");
    mkdirSync(`${stem}.new_certs_dir`, { recursive: true });
    const dates = ["-startdate", openSslDate(-2), "-enddate", openSslDate(-1)];
    const signer = ["-cert", this.certificateFile, "-keyfile", this.#keyFile, "-config"];
    const files = [`${stem}.cnf`, "-in", request, "-out", pair.certificateFile];
    await run(["openssl", "ca", "-batch", "-notext", ...dates, ...signer, ...files]);
    return pair;
  }

  async #issue(name: string, subject: string, extensions: readonly string[]): Promise<KeyPair> {
    const stem = join(this.#folder, name);
    const pair = { certificateFile: `${stem}.crt`, keyFile: `${stem}.key` };
    const signer = ["-CA", this.certificateFile, "-CAkey", this.#keyFile, "-days", VALID_DAYS];
    const added = ["basicConstraints=critical,CA:FALSE", ...extensions];
    const extra = added.flatMap((extension) => ["-addext", extension]);
    const output = ["-keyout", pair.keyFile, "-out", pair.certificateFile];
    const request = ["openssl", "req", "-x509", ...NEW_KEY, "-subj", subject];
    await run([...request, ...signer, ...extra, ...output]);
    return pair;
  }
}

function subjectOf(user: User): string {
  const groups = (user.groups ?? []).map((group) => `/O=${group}`);
  return `${groups.join("")}/CN=${user.name}`;
}

function slug(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9-]/g, "-");
}

/** YYYYMMDDHHMMSSZ, `days` from now. */
function openSslDate(days: number): string {
  const at = new Date(Date.now() + days * 86_400_000);
  return `${at.toISOString().replaceAll(/[-:T]/g, "").slice(0, 14)}Z`;
}
