/**
 * The spellings in which a value is recognised: itself, inside JSON (also twice, as ASCII alone, with escaped slashes),
 * base64 and base64url at any offset, hex, percent-encoding of browsers and of RFC 3986, inside HTML. Longest first. A
 * step that wants to disguise a value otherwise can: what it may reach is the wall, this is the net below it.
 */
export function secretForms(value: string): readonly string[] {
  const bytes = Buffer.from(value, "utf8");
  const hex = bytes.toString("hex");
  return byLength([
    value,
    ...jsonForms(value),
    hex,
    hex.toUpperCase(),
    ...percentForms(value),
    htmlInner(value),
    ...[0, 1, 2].flatMap((offset) => base64Inner(bytes, offset)),
  ]);
}

/** Each once, longest first: what is masked must not cut a longer one in two and leave its rest to be read. */
export const byLength = (forms: readonly string[]): readonly string[] =>
  [...new Set(forms)].sort((a, b) => b.length - a.length);

/** Long lines of a value: a log that prints a key line by line shows each alone. Not those that anything may hold. */
export function secretLines(value: string): readonly string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  return lines.length < 2 ? [] : lines.filter((line) => line.length >= 16 && !line.startsWith("-----"));
}

const jsonInner = (text: string): string => JSON.stringify(text).slice(1, -1);

function jsonForms(value: string): readonly string[] {
  const inner = jsonInner(value);
  const ascii = inner.replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const upper = ascii.replaceAll(/\\u[0-9a-f]{4}/g, (escape) => `\\u${escape.slice(2).toUpperCase()}`);
  return [inner, jsonInner(inner), ascii, upper, inner.replaceAll("/", "\\/")];
}

function percentForms(value: string): readonly string[] {
  const browser = encodeURIComponent(value);
  const strict = browser.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  // A form keeps the asterisk and writes a blank as a plus; Python keeps the tilde, Java escapes it.
  const form = strict.replaceAll("%20", "+").replaceAll("%2A", "*");
  const all = [browser, strict, form, form.replaceAll("~", "%7E"), browser.replaceAll("%20", "+")];
  return all.flatMap((text) => [text, text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const htmlInner = (value: string): string => value.replaceAll(/[&<>"']/g, (char) => entities[char] ?? char);

/** What of the base64 of `<offset bytes><value><anything>` depends on the value alone, in both alphabets. */
function base64Inner(value: Uint8Array, offset: number): readonly string[] {
  const padded = Buffer.concat([Buffer.alloc(offset), value]);
  const firstOwn = Math.ceil((offset * 8) / 6);
  const whole = Math.floor((padded.length * 8) / 6);
  const inner = padded.toString("base64").slice(firstOwn, whole);
  return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
}
