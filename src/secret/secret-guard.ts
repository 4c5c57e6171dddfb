import { Fault } from "../base/index.ts";
import { byLength, secretForms, secretLines } from "./secret-forms.ts";

/** Secret values by the name under which the step knows them. */
export type SecretValues = Readonly<Record<string, string>>;

/** Knows some values, and finds them again in what their step gives away. */
export interface SecretGuard {
  /** Name of a secret that stands in the text, in any spelling; null where none does. */
  readonly findIn: (text: string) => string | null;
  /** The text without any of them. */
  readonly redact: (text: string) => string;
  /** The same bytes, piece by piece; throws Fault SECRET_LEAKED before a piece that completes a value. */
  readonly watch: (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

const mask = "[redacted]";
/** As many characters of a value at the end of a text that was cut are masked too. */
const minCutChars = 8;

export function createSecretGuard(values: SecretValues): SecretGuard {
  const known = Object.entries(values).map(([name, value]) => ({ name, value, forms: secretForms(value) }));
  const masked = byLength(known.flatMap(({ value, forms }) => [...forms, ...secretLines(value)]));
  const needles = known.flatMap(({ name, value, forms }) =>
    [...forms.map((form) => Buffer.from(form, "utf8")), Buffer.from(value, "utf16le")].map((bytes) => ({
      name,
      bytes,
    })),
  );
  const longest = Math.max(0, ...needles.map(({ bytes }) => bytes.length));
  const findIn = (text: string): string | null =>
    known.find(({ forms }) => forms.some((form) => text.includes(form)))?.name ?? null;
  return {
    findIn,
    redact: (text) => {
      let out = text;
      for (const form of masked) out = out.replaceAll(form, mask);
      for (const { value } of known) out = maskCut(out, value);
      return out;
    },
    watch: (bytes) => (known.length === 0 ? bytes : watched(bytes, { needles, longest })),
  };
}

/** A line that was cut in the middle of a value still shows its beginning. */
function maskCut(text: string, value: string): string {
  const start = value.slice(0, minCutChars);
  // From the left: of a value that repeats itself the longest beginning counts.
  for (let at = text.indexOf(start, text.length - value.length); at >= 0; at = text.indexOf(start, at + 1))
    if (value.startsWith(text.slice(at))) return `${text.slice(0, at)}${mask}`;
  return text;
}

interface Needles {
  readonly needles: readonly { readonly name: string; readonly bytes: Buffer }[];
  readonly longest: number;
}

async function* watched(bytes: AsyncIterable<Uint8Array>, { needles, longest }: Needles): AsyncGenerator<Uint8Array> {
  // What may be the beginning of a value whose end comes with the next piece.
  let tail = Buffer.alloc(0);
  for await (const piece of bytes) {
    const seen = Buffer.concat([tail, piece]);
    const found = needles.find((needle) => seen.includes(needle.bytes));
    if (found !== undefined) throw secretLeaked(found.name, "an artifact");
    tail = seen.subarray(Math.max(0, seen.length - (longest - 1)));
    yield piece;
  }
}

/** Names the secret, never its value. */
export const secretLeaked = (name: string, where: string): Fault =>
  new Fault("SECRET_LEAKED", `the value of secret ${name} stands in ${where}`);
