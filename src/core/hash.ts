// Hashing as a port: pure modules may not import node:crypto.

/** SHA-256 of UTF-8 text as 64 lower-case hexadecimal digits. */
export type Sha256 = (text: string) => string;
