// X.509 certificates for tests, made in memory: with any validity, so that an expired one needs no
// waiting. ECDSA P-256; just enough DER (X.690) and RFC 5280 for TLS to accept them.

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

export interface CertificateOptions {
  readonly commonName: string;
  /** A Kubernetes group, for client certificates. */
  readonly organization?: string;
  /** Self-signed when absent. */
  readonly issuer?: TestCertificate;
  readonly authority?: boolean;
  /** IPv4 addresses and DNS names. */
  readonly hosts?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export interface TestCertificate {
  readonly certPem: string;
  readonly keyPem: string;
  readonly subject: Buffer;
  readonly privateKey: KeyObject;
}

const DAY_MS = 24 * 3600 * 1000;

export function createCertificate(options: CertificateOptions): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = distinguishedName(options);
  const now = Date.now();
  const algorithm = sequence(oid("1.2.840.10045.4.3.2"));
  const tbs = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    options.issuer?.subject ?? subject,
    sequence(
      generalizedTime(options.notBefore ?? new Date(now - DAY_MS)),
      generalizedTime(options.notAfter ?? new Date(now + DAY_MS)),
    ),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions(options))),
  );
  const signature = sign("sha256", tbs, options.issuer?.privateKey ?? privateKey);
  const certificate = sequence(tbs, algorithm, bitString(signature));
  return {
    certPem: pem("CERTIFICATE", certificate),
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    subject,
    privateKey,
  };
}

/** An authority with a server certificate for 127.0.0.1 and "localhost", and a client's. */
export function createTestPki() {
  const ca = createCertificate({ commonName: "test-ca", authority: true });
  const server = createCertificate({
    commonName: "kube-apiserver",
    issuer: ca,
    hosts: ["127.0.0.1", "localhost", "kubernetes"],
  });
  const client = createCertificate({ commonName: "lbd", organization: "lbd:nodes", issuer: ca });
  return { ca, server, client };
}

function distinguishedName(options: CertificateOptions): Buffer {
  const parts = [attribute("2.5.4.3", options.commonName)];
  if (options.organization !== undefined) {
    parts.unshift(attribute("2.5.4.10", options.organization));
  }
  return sequence(...parts);
}

function attribute(type: string, value: string): Buffer {
  return der(0x31, sequence(oid(type), der(0x0c, Buffer.from(value))));
}

function extensions(options: CertificateOptions): Buffer[] {
  const list: Buffer[] = [];
  if (options.authority) {
    const isCa = sequence(der(0x01, Buffer.from([0xff])));
    list.push(sequence(oid("2.5.29.19"), der(0x01, Buffer.from([0xff])), der(0x04, isCa)));
  }
  if (options.hosts !== undefined) {
    const names = options.hosts.map((host) =>
      isIPv4(host)
        ? der(0x87, Buffer.from(host.split(".").map(Number)))
        : der(0x82, Buffer.from(host)),
    );
    list.push(sequence(oid("2.5.29.17"), der(0x04, sequence(...names))));
  }
  // The list must not be empty (RFC 5280 section 4.1): digitalSignature or keyCertSign.
  const usage = der(0x03, Buffer.from([2, options.authority ? 0x84 : 0x80]));
  list.push(sequence(oid("2.5.29.15"), der(0x04, usage)));
  return list;
}

function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...contents: Buffer[]): Buffer {
  return der(0x30, ...contents);
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes);
}

function bitString(bytes: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function generalizedTime(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  return der(0x18, Buffer.from(digits));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
