import { WireDefect } from "../signature/ssh-wire.ts";

/** The options of one allowed_signers line; times in seconds since the epoch, both ends inclusive. */
export interface SignerOptions {
  /** Pattern list; null = every namespace. */
  readonly namespaces: string | null;
  readonly validAfter: number | null;
  readonly validBefore: number | null;
}

export const noOptions: SignerOptions = { namespaces: null, validAfter: null, validBefore: null };

/** Parses the option word, e.g. `namespaces="git",valid-after="20260101Z"`. Throws WireDefect with the reason. */
export function parseSignerOptions(word: string): SignerOptions {
  const values = new Map<string, string>();
  let rest = word;
  while (rest !== "") {
    const match = /^([A-Za-z-]+)(?:=("(?:[^"\\]|\\")*"|[^,]*))?(?:,|$)/.exec(rest);
    if (match === null) throw new WireDefect(`options end with \`${rest.slice(0, 40)}\`, which is no option`);
    const [taken, name = "", value] = match;
    setOption(values, name.toLowerCase(), value);
    rest = rest.slice(taken.length);
    if (rest === "" && taken.endsWith(",")) throw new WireDefect("a comma ends the options");
  }
  const options = {
    namespaces: values.get("namespaces") ?? null,
    validAfter: timeOf(values, "valid-after"),
    validBefore: timeOf(values, "valid-before"),
  };
  if (options.validAfter !== null && options.validBefore !== null && options.validBefore <= options.validAfter) {
    throw new WireDefect("valid-before is not after valid-after");
  }
  return options;
}

function setOption(values: Map<string, string>, name: string, quoted: string | undefined): void {
  if (name === "cert-authority") throw new WireDefect("cert-authority: certificates are not accepted, name plain keys");
  if (!["namespaces", "valid-after", "valid-before"].includes(name)) throw new WireDefect(`unknown option ${name}`);
  if (values.has(name)) throw new WireDefect(`option ${name} stands twice`);
  if (quoted?.startsWith('"') !== true) throw new WireDefect(`the value of ${name} must stand in double quotes`);
  const value = quoted.slice(1, -1).replaceAll('\\"', '"');
  if (value === "") throw new WireDefect(`option ${name} is empty`);
  values.set(name, value);
}

function timeOf(values: ReadonlyMap<string, string>, name: string): number | null {
  const text = values.get(name);
  if (text === undefined) return null;
  const match = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)$/.exec(text);
  if (match === null) throw new WireDefect(`${name} is no time: expected YYYYMMDDZ or YYYYMMDDHHMM[SS]Z`);
  const [, year = "", month = "", day = "", hour = "00", minute = "00", second = "00", zone] = match;
  // Without Z, OpenSSH takes the zone of whoever verifies: two sites would judge one commit differently.
  if (zone === "") throw new WireDefect(`${name} has no zone: write a Z at its end (UTC)`);
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const milliseconds = Date.parse(iso);
  // Some engines take 31 February for 3 March. OpenSSH reads nothing up to the epoch.
  if (!(milliseconds > 0) || new Date(milliseconds).toISOString() !== iso) {
    throw new WireDefect(`${name} is no time that exists`);
  }
  return milliseconds / 1000;
}
