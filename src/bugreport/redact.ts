// Takes secrets out of text, twice over: those that are known, wherever and in whatever form they
// stand, and what looks like one. Not guaranteed: a secret that is neither known nor looks like
// one; whoever sends an archive is told to look through it.

export interface Secret {
  /** What it is, for its place: "token". */
  readonly name: string;
  /** Every form in which it may appear. */
  readonly forms: readonly string[];
}

/** Shorter ones would take half of the text with them. */
const FORM_CHARACTERS_MIN = 6;

interface Pattern {
  readonly name: string;
  readonly pattern: RegExp;
  /** What stays of it; missing: nothing. */
  readonly keep?: string;
}

const KEY_WORDS =
  "password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|" +
  "client-key-data";

/** None begins in the middle of a word: a long one would be looked at from each of its letters. */
const PATTERNS: readonly Pattern[] = [
  {
    // One that was cut off has no end.
    name: "private key",
    pattern: /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z0-9 ]*KEY-----|$)/g,
  },
  {
    // base64 of "-----BEGIN " of anything but a certificate.
    name: "private key",
    pattern: /LS0tLS1CRUdJTi(?!BDRVJU)[A-Za-z0-9+/=_-]*/g,
  },
  // RFC 7519: a JSON object, in base64, begins so.
  { name: "token", pattern: /\beyJ[\w-]{8,}\.[\w-]{4,}(\.[\w-]*)?/g },
  {
    name: "credentials",
    pattern: /\b(Bearer|Basic|Token)(\s+)[\w.~+/=-]{8,}/gi,
    keep: "$1$2",
  },
  {
    name: "password",
    pattern: /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi,
    keep: "$1",
  },
  {
    name: "value",
    pattern: new RegExp(
      `(?<![\\w.-])(["']?[\\w.-]*(?:${KEY_WORDS})["']?[ \\t]*[:=][ \\t]*)` +
        `("[^"\\n]*"|'[^'\\n]*'|[^\\s"',;}\\]]+)`,
      "gi",
    ),
    keep: "$1",
  },
];

/** A key whose value says that there is none. */
const NOTHING = /[:=][ \t]*(null|true|false|none)$/;

export class Redactor {
  readonly #secrets: readonly Secret[];
  readonly #counts = new Map<string, number>();

  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets;
  }

  redact(text: string): string {
    let clean = text;
    for (const { name, form } of this.#forms()) {
      if (!clean.includes(form)) continue;
      this.#count(name, clean.split(form).length - 1);
      clean = clean.replaceAll(form, mark(name));
    }
    for (const { name, pattern, keep = "" } of PATTERNS) {
      clean = clean.replace(pattern, (whole: string, ...groups: unknown[]) => {
        if (isMarked(whole) || NOTHING.test(whole)) return whole;
        this.#count(name, 1);
        const kept = keep.replace(/\$(\d)/g, (_, at: string) => String(groups[Number(at) - 1]));
        // JSON stays JSON.
        const quote = /["']$/.exec(whole)?.[0] ?? "";
        return kept + (keep === "" ? mark(name) : quote + mark(name) + quote);
      });
    }
    return clean;
  }

  /** How much was taken out, by name. */
  counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Longer ones first: a part of one may be another. */
  #forms(): { name: string; form: string }[] {
    return this.#secrets
      .flatMap(({ name, forms }) => forms.map((form) => ({ name, form })))
      .filter(({ form }) => form.length >= FORM_CHARACTERS_MIN)
      .toSorted((a, b) => b.form.length - a.form.length);
  }

  #count(name: string, times: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + times);
  }
}

function mark(name: string): string {
  return `[redacted ${name}]`;
}

/** Its value has been taken out before, by a better name. */
function isMarked(text: string): boolean {
  return text.includes("[redacted");
}
