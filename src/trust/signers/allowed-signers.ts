import { isKeyType, type PublicKey, parsePublicKey } from "../signature/public-key.ts";
import { type Parsed, parsed, sameBytes, WireDefect } from "../signature/ssh-wire.ts";
import { firstLiteral, matchesPatternList } from "./pattern-list.ts";
import { noOptions, parseSignerOptions, type SignerOptions } from "./signer-options.ts";

/** One line of an OpenSSH allowed_signers file. */
export interface AllowedSigner extends SignerOptions {
  readonly line: number;
  /** The pattern list as written. */
  readonly principals: string;
  /** Who it is: the first plain name of `principals`, else the list as written. Nothing in a commit can change it. */
  readonly principal: string;
  readonly type: string;
  readonly blob: Uint8Array;
}

/** Every plain name of a line; its list as written where it has none. */
export function namesOf({ principals }: AllowedSigner): readonly string[] {
  const plain = principals.split(",").filter((item) => !/[*?!]/.test(item));
  return plain.length === 0 ? [principals] : plain;
}

export interface SignersFinding {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface AllowedSigners {
  readonly signers: readonly AllowedSigner[];
  /** Not empty: the file is wrong, and whoever trusts by it must stop. OpenSSH would skip such a line. */
  readonly findings: readonly SignersFinding[];
}

/** Reads `principals [options] type key [comment]` lines as ssh-keygen(1), ALLOWED SIGNERS, describes them. */
export function parseAllowedSigners(text: string): AllowedSigners {
  const signers: AllowedSigner[] = [];
  const findings: SignersFinding[] = [];
  for (const [index, content] of text.split("\n").entries()) {
    const stripped = content.replace(/^[ \t]+/, "");
    if (stripped === "" || stripped.startsWith("#")) continue;
    const signer = parseSignerLine(stripped, index + 1);
    if (signer.ok) signers.push(signer.value);
    else findings.push({ line: index + 1, message: signer.reason });
  }
  return { signers, findings };
}

/** Which key, for what, when: `atSeconds` since the epoch. */
export interface SignerQuery {
  readonly blob: Uint8Array;
  readonly namespace: string;
  readonly atSeconds: number;
}

/** The first line that grants this key this namespace at this time, or null. */
export function findSigner(signers: readonly AllowedSigner[], query: SignerQuery): AllowedSigner | null {
  return signers.find((signer) => sameBytes(signer.blob, query.blob) && grants(signer, query)) ?? null;
}

const grantsNamespace = ({ namespaces }: AllowedSigner, namespace: string): boolean =>
  namespaces === null || matchesPatternList(namespace, namespaces);

/** Does this line, by itself, grant that? */
export function grants(signer: AllowedSigner, { namespace, atSeconds }: Omit<SignerQuery, "blob">): boolean {
  if (!grantsNamespace(signer, namespace)) return false;
  if (signer.validAfter !== null && atSeconds < signer.validAfter) return false;
  return signer.validBefore === null || atSeconds <= signer.validBefore;
}

function parseSignerLine(content: string, line: number): Parsed<AllowedSigner> {
  return parsed(() => {
    if (/[\x00-\x08\x0b-\x1f\x7f]/.test(content))
      throw new WireDefect("control character (a CR of Windows line ends?)");
    // What stands for several byte strings would make one person of several.
    if (/[\ufeff\ufffd]/.test(content)) throw new WireDefect("it begins with a byte order mark or is not UTF-8");
    const [principals, afterPrincipals] = principalsOf(content);
    const [options, key] = optionsOf(afterPrincipals);
    const principal = firstLiteral(principals) ?? principals;
    return { line, principals, principal, type: key.type, blob: key.blob, ...options };
  });
}

function principalsOf(content: string): readonly [string, string] {
  const match = /^(?:"([^"]*)"|([^" \t]+))[ \t]+(.+)$/.exec(content);
  if (match === null) throw new WireDefect("expected `principals [options] type key`");
  const [, quoted, plain, rest = ""] = match;
  const principals = quoted ?? plain ?? "";
  if (principals.split(",").some((item) => item === "" || item === "!")) throw new WireDefect("an empty principal");
  checkNamesSomebody(principals);
  return [principals, rest];
}

/** OpenSSH lets a name that is excluded, or a list of exclusions alone, be nobody's: a key would sign as nobody. */
function checkNamesSomebody(principals: string): void {
  const named = principals.split(",").filter((item) => !item.startsWith("!"));
  const isNamed = (item: string): boolean => /[*?]/.test(item) || matchesPatternList(item, principals);
  if (named.length === 0) throw new WireDefect("its principals name nobody, they only exclude");
  if (!named.every(isNamed)) throw new WireDefect("its principals name and exclude somebody");
}

function optionsOf(text: string): readonly [SignerOptions, PublicKey] {
  const word = /^(?:"(?:[^"\\]|\\")*"|[^" \t])+/.exec(text)?.[0] ?? "";
  const withOptions = !isKeyType(word) && (word.includes("=") || /^cert-authority\b/i.test(word));
  const options = withOptions ? parseSignerOptions(word) : noOptions;
  const key = parsePublicKey(withOptions ? text.slice(word.length).replace(/^[ \t]+/, "") : text);
  if (!key.ok) throw new WireDefect(key.reason);
  return [options, key.value];
}
