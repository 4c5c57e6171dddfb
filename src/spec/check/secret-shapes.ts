/** What a text looks like, and how sure that is. */
export interface SecretShape {
  readonly what: string;
  /** `known`: the shape of one issuer's keys. `likely`: only its randomness, or the name of its field, says so. */
  readonly sure: "known" | "likely";
  readonly offset: number;
}

const shapes: readonly (readonly [what: string, shape: RegExp])[] = [
  ["a private key (PEM)", /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/],
  ["a PuTTY private key", /PuTTY-User-Key-File-\d/],
  ["an age identity", /AGE-SECRET-KEY-1[0-9A-Z]{20}/],
  ["an AWS access key", /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
  ["a GitHub token", /\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{22}/],
  ["a GitLab token", /\bglpat-[\w-]{20}/],
  ["a Slack token", /\bxox[abeoprs]-[A-Za-z0-9-]{10}/],
  ["a Slack webhook", /\bhooks\.slack\.com\/services\/T[A-Z0-9]{6,}\/B[A-Z0-9]{6,}\/[A-Za-z0-9]{16}/],
  ["a Google API key", /\bAIza[\w-]{35}/],
  ["a Stripe key", /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16}/],
  ["an npm token", /\bnpm_[A-Za-z0-9]{36}/],
  ["a PyPI token", /\bpypi-AgEI[\w-]{20}/],
  ["a SendGrid key", /\bSG\.[\w-]{16,32}\.[\w-]{16}/],
  ["a Vault token", /\bhvs\.[\w-]{20}/],
  ["a DigitalOcean token", /\bdo[opr]_v1_[a-f0-9]{64}/],
  ["an API key of a model provider", /\bsk-(?:ant|proj)-[\w-]{20}/],
  ["a signed token (JWT)", /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10}/],
  // "Bearer authentication" is prose: a digit makes it one.
  ["a value of an Authorization header", /\b(?:Bearer|Basic) (?=[\w.~+/-]{0,200}\d)[\w.~+/-]{16}/],
  ["a password in an address", /\b[a-z][a-z0-9+.-]{1,15}:\/\/[^\s/:@"'$]{1,64}:[^\s/:@"'${]{3,128}@/],
];

/** The first known shape of a secret within a text. Linear: no expression repeats within a repetition. */
export function knownSecret(text: string): SecretShape | null {
  let first: SecretShape | null = null;
  for (const [what, shape] of shapes) {
    const at = shape.exec(text)?.index;
    if (at !== undefined && (first === null || at < first.offset)) first = { what, sure: "known", offset: at };
  }
  return first;
}

const secretName =
  /(?:^|[^a-z])(?:password|passwd|passphrase|secret|token|api_?key|access_?key|private_?key|credentials?)$/i;
const placeholder = /^(?:x+|\*+|<.*>|change-?me|example|placeholder|none|null|true|false|dummy|test)$/i;

/** Every line of a file that holds a known shape, in order; whatever stands there, comments too. */
export function secretLines(text: string): readonly (SecretShape & { readonly line: number })[] {
  if (knownSecret(text) === null) return [];
  return text.split("\n").flatMap((line, index) => {
    const found = knownSecret(line);
    return found === null ? [] : [{ ...found, line: index + 1 }];
  });
}

/** A text that nobody writes by hand, or any value of a field that is named after a secret. `name` = its key. */
export function likelySecret(text: string, name: string): SecretShape | null {
  if (text.includes("${{")) return null;
  if (secretName.test(name.replaceAll(/([a-z])([A-Z])/g, "$1_$2")) && text.length >= 6 && !placeholder.test(text)) {
    return { what: `a value of \`${name}\``, sure: "likely", offset: 0 };
  }
  if (published.test(text)) return null;
  for (const { 0: word, index } of text.matchAll(/[A-Za-z0-9+/_=-]{24,256}/g)) {
    if (isRandom(word)) return { what: "a random text", sure: "likely", offset: index };
  }
  return null;
}

/** Digests in base64 (subresource integrity) and public keys of OpenSSH. */
const published = /\bsha(?:256|384|512)[-:]|\b(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp\d{3}) AAAA/;

/** Words that are written together, `theQuickBrownFox`. */
const wordLetters = (word: string): number => (word.match(/[A-Z]?[a-z]{2,}/g) ?? []).join("").length;

/** Digests, ids and paths are long as well: only a mix of cases and digits with much entropy counts. */
function isRandom(word: string): boolean {
  if (!/[a-z]/.test(word) || !/[A-Z]/.test(word) || (word.match(/\d/g) ?? []).length < 3) return false;
  if (word.split("/").length > 3 || wordLetters(word) > word.length * 0.65) return false;
  return entropyBits(word) >= 4.2;
}

/** Shannon entropy of a character, in bits. */
function entropyBits(text: string): number {
  const counts = new Map<string, number>();
  for (const unit of text) counts.set(unit, (counts.get(unit) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
