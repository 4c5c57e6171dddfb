import { Fault } from "../../base/index.ts";

/** Who and when. `seconds` since the epoch, `offset` as written (`+0200`), for show only. */
export interface Ident {
  readonly name: string;
  readonly email: string;
  readonly seconds: number;
  readonly offset: string;
}

/** The end of the year 9999: beyond it neither Date nor the records can write the instant. */
const maxSeconds = 253_402_300_799;
const identPattern = /^([^<>\n\0]*)<([^<>\n\0]*)> (\d{1,12}) ([+-]\d{4})$/u;

/** What stands in for an ident that cannot be read; the commit then carries a defect. */
export const noIdent: Ident = { name: "", email: "", seconds: 0, offset: "+0000" };

/** `name <mail> seconds +hhmm`, or null when the line is malformed. */
export function decodeIdent(line: string): Ident | null {
  const [, name = "", email = "", digits = "", offset = ""] = identPattern.exec(line) ?? [];
  if (offset === "") return null;
  const seconds = Number(digits);
  return seconds > maxSeconds ? null : { name: name.trimEnd(), email, seconds, offset };
}

/** The line without its header word. An ident that would not read back is our own mistake (`INTERNAL`). */
export function encodeIdent(ident: Ident): string {
  const line = `${ident.name} <${ident.email}> ${String(ident.seconds)} ${ident.offset}`;
  const back = decodeIdent(line);
  if (back?.name !== ident.name || back.email !== ident.email || back.seconds !== ident.seconds) {
    throw new Fault("INTERNAL", "ident cannot be written");
  }
  return line;
}
