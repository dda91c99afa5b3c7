// The secrets of this host that are known, in every form in which they may stand in a text.

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import type { Secret } from "./redact.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Plain, as JSON has it, as base64 in both alphabets, as hexadecimal; of a PEM text each line. */
export function formsOf(value: Uint8Array | string): string[] {
  const bytes = Buffer.from(value);
  const plain = bytes.toString("utf8");
  const isText = Buffer.from(plain).equals(bytes);
  const lines = plain.split(/\s+/).filter((line) => !/^-----/.test(line));
  const texts = isText ? [plain, plain.trim(), JSON.stringify(plain).slice(1, -1)] : [];
  const encoded = [bytes, Buffer.from(plain.trim())].flatMap((one) => [
    one.toString("base64"),
    one.toString("base64").replace(/=+$/, ""),
    one.toString("base64url"),
    one.toString("hex"),
    one.toString("hex").toUpperCase(),
  ]);
  // Words of a passphrase are words; a line of a PEM text is none.
  const long = isText ? lines.filter((line) => line.length >= 16) : [];
  return [...new Set([...texts, ...long, ...encoded])];
}

/** Of the kubeconfig and the files that it names; none where they cannot be read. */
export function kubeconfigSecrets(path: string): Secret[] {
  const document = fieldsOf(attempt(() => parse(readFileSync(path, "utf8")) as unknown));
  const users = Array.isArray(document.users) ? document.users : [];
  return users.flatMap((entry) => userSecrets(fieldsOf(fieldsOf(entry).user), dirname(path)));
}

function userSecrets(user: Fields, folder: string): Secret[] {
  const file = (key: string): Uint8Array | undefined => {
    const name = user[key];
    if (typeof name !== "string") return undefined;
    return attempt(() => readFileSync(resolve(folder, name)));
  };
  const data = user["client-key-data"];
  const key = typeof data === "string" ? Buffer.from(data, "base64") : undefined;
  const found: (readonly [string, unknown])[] = [
    ["token", user.token],
    ["token", file("tokenFile")],
    ["private key", key],
    ["private key", data],
    ["private key", file("client-key")],
    ["password", user.password],
  ];
  return found.flatMap(([name, value]) => {
    const isValue = typeof value === "string" || value instanceof Uint8Array;
    return isValue && value.length > 0 ? [{ name, forms: formsOf(value) }] : [];
  });
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function fieldsOf(raw: unknown): Fields {
  return typeof raw === "object" && raw !== null ? (raw as Fields) : {};
}
