/**
 * The spellings in which a value is recognised: itself, inside JSON (also twice), base64 and base64url at any offset,
 * hex, percent-encoding. Longest first. A step that wants to disguise a value otherwise can: what it may reach is the
 * wall, this is the net below it.
 */
export function secretForms(value: string): readonly string[] {
  const bytes = Buffer.from(value, "utf8");
  const hex = bytes.toString("hex");
  const percent = encodeURIComponent(value);
  const forms = [
    value,
    jsonInner(value),
    jsonInner(jsonInner(value)),
    hex,
    hex.toUpperCase(),
    percent,
    percent.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    percent.replaceAll("%20", "+"),
    ...[0, 1, 2].flatMap((offset) => base64Inner(bytes, offset)),
  ];
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

/** Long lines of a value: a log that prints a key line by line shows each alone. Not those that anything may hold. */
export function secretLines(value: string): readonly string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  return lines.length < 2 ? [] : lines.filter((line) => line.length >= 16 && !line.startsWith("-----"));
}

const jsonInner = (text: string): string => JSON.stringify(text).slice(1, -1);

/** What of the base64 of `<offset bytes><value><anything>` depends on the value alone, in both alphabets. */
function base64Inner(value: Uint8Array, offset: number): readonly string[] {
  const padded = Buffer.concat([Buffer.alloc(offset), value]);
  const firstOwn = Math.ceil((offset * 8) / 6);
  const whole = Math.floor((padded.length * 8) / 6);
  const inner = padded.toString("base64").slice(firstOwn, whole);
  return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
}
