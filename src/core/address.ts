// IP addresses and ranges. An address is kept as its canonical text (RFC 5952 for IPv6), so that it
// can be compared, used as a key and printed as it is; ranges are BigInt pairs, so that an IPv6 /64
// costs no memory.

import { Address4, Address6 } from "ip-address";

declare const ipBrand: unique symbol;

/** Canonical text of an IPv4 or IPv6 address. */
export type Ip = string & { readonly [ipBrand]: true };
export type IpFamily = 4 | 6;

/** All addresses from `start` to `end`, both included. */
export interface IpRange {
  readonly family: IpFamily;
  readonly start: bigint;
  readonly end: bigint;
}

/** A connected prefix: the range of a CIDR, with its length. */
export interface IpPrefix extends IpRange {
  /** 0 to 32, or 0 to 128. */
  readonly length: number;
}

const DOT = 0x2e;
const DIGIT_0 = 0x30;
const DOTTED_QUAD = /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/;

/** The address in canonical text, or null. Zones, leading zeros and prefix lengths are refused. */
export function parseIp(text: string): Ip | null {
  if (text.includes(":")) {
    if (text.includes("%") || text.includes("/") || !Address6.isValid(text)) return null;
    return new Address6(text).correctForm() as Ip;
  }
  return DOTTED_QUAD.test(text) && Address4.isValid(text) ? (text as Ip) : null;
}

export function ipFamily(ip: Ip): IpFamily {
  return ip.includes(":") ? 6 : 4;
}

export function ipToBigInt(ip: Ip): bigint {
  return ipFamily(ip) === 4 ? BigInt(ipv4ToNumber(ip)) : new Address6(ip).bigInt();
}

/** The address with that value; `value` must be in the family's range. */
export function ipFromBigInt(family: IpFamily, value: bigint): Ip {
  if (family === 4) return ipv4FromNumber(Number(value));
  return Address6.fromBigInt(value).correctForm() as Ip;
}

/** Of IPv6: fe80::/10 (RFC 4291 section 2.5.6). */
export function isLinkLocal(ip: Ip): boolean {
  return /^fe[89ab][0-9a-f]:/.test(ip);
}

/** 0 to 2^32 - 1, network order read as one number. */
export function ipv4ToNumber(ip: Ip): number {
  let value = 0;
  let part = 0;
  for (let at = 0; at < ip.length; at++) {
    const code = ip.charCodeAt(at);
    if (code === DOT) {
      value = value * 256 + part;
      part = 0;
    } else part = part * 10 + code - DIGIT_0;
  }
  return value * 256 + part;
}

export function ipv4FromNumber(value: number): Ip {
  const [high, low] = [value >>> 16, value & 0xffff];
  return `${high >>> 8}.${high & 255}.${low >>> 8}.${low & 255}` as Ip;
}

/** IPv6 as eight groups of four digits, IPv4 as it is: the form used in object names. */
export function expandedIp(ip: Ip): string {
  return ipFamily(ip) === 4 ? ip : new Address6(ip).canonicalForm();
}

export function addressBits(family: IpFamily): number {
  return family === 4 ? 32 : 128;
}

/** The prefix that holds `ip` with `length` leading bits fixed; host bits are cleared. */
export function prefixOf(ip: Ip, length: number): IpPrefix {
  const family = ipFamily(ip);
  const hostBits = BigInt(addressBits(family) - length);
  const start = (ipToBigInt(ip) >> hostBits) << hostBits;
  return { family, start, end: start + (1n << hostBits) - 1n, length };
}

/** The prefix that holds `ip` alone. */
export function hostPrefix(ip: Ip): IpPrefix {
  return prefixOf(ip, addressBits(ipFamily(ip)));
}

/** `address/length`, or null. Host bits may be set; they are cleared. */
export function parsePrefix(text: string): IpPrefix | null {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const ip = match?.[1] === undefined ? null : parseIp(match[1]);
  const length = Number(match?.[2]);
  if (ip === null || length > addressBits(ipFamily(ip))) return null;
  return prefixOf(ip, length);
}

export function formatPrefix(prefix: IpPrefix): string {
  return `${ipFromBigInt(prefix.family, prefix.start)}/${prefix.length}`;
}

export function rangeContains(range: IpRange, ip: Ip): boolean {
  if (range.family !== ipFamily(ip)) return false;
  const value = ipToBigInt(ip);
  return value >= range.start && value <= range.end;
}

export function rangeSize(range: IpRange): bigint {
  return range.end - range.start + 1n;
}

export function formatRange(range: IpRange): string {
  return `${ipFromBigInt(range.family, range.start)}-${ipFromBigInt(range.family, range.end)}`;
}

/** IPv4 before IPv6, then by value. */
export function compareIps(a: Ip, b: Ip): number {
  const families = ipFamily(a) - ipFamily(b);
  if (families !== 0) return families;
  const left = ipToBigInt(a);
  const right = ipToBigInt(b);
  return left < right ? -1 : left > right ? 1 : 0;
}
