// A certificate signing request (PKCS #10, RFC 2986) for a new key on the curve P-256: Node can
// make keys and signatures, and has no words for this document. It holds a common name, no more.

import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";

export interface CertificateRequest {
  /** PEM, "CERTIFICATE REQUEST". */
  readonly request: string;
  /** PEM, PKCS #8; whoever has it is who the certificate says. */
  readonly key: string;
}

/** ASN.1 tags (X.690 section 8). */
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const SEQUENCE = 0x30;
const SET = 0x31;
const ATTRIBUTES = 0xa0;

/** 2.5.4.3 (X.520). */
const COMMON_NAME = Buffer.from([0x55, 0x04, 0x03]);
/** 1.2.840.10045.4.3.2 (RFC 5758 section 3.2). */
const ECDSA_WITH_SHA256 = Buffer.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]);

export function certificateRequest(commonName: string): CertificateRequest {
  const pair = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const name = der(
    SET,
    der(SEQUENCE, der(OBJECT_IDENTIFIER, COMMON_NAME), der(UTF8_STRING, Buffer.from(commonName))),
  );
  // Version 0, subject, public key, no attributes.
  const info = der(
    SEQUENCE,
    der(INTEGER, Buffer.from([0])),
    der(SEQUENCE, name),
    pair.publicKey,
    der(ATTRIBUTES),
  );
  const signature = sign("sha256", info, createPrivateKey(pair.privateKey));
  const unusedBits = Buffer.from([0]);
  const document = der(
    SEQUENCE,
    info,
    der(SEQUENCE, der(OBJECT_IDENTIFIER, ECDSA_WITH_SHA256)),
    der(BIT_STRING, unusedBits, signature),
  );
  return { request: pem("CERTIFICATE REQUEST", document), key: pair.privateKey };
}

/** Tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

/** X.690 section 8.1.3: short form below 128, else the number of bytes and those. */
function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff];
  return [0x80 | bytes.length, ...bytes];
}

function pem(label: string, document: Buffer): string {
  const lines = document.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
