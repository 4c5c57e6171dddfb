import { hexOf } from "../../base/index.ts";
import { type Parsed, parsed, WireDefect, WireReader } from "./ssh-wire.ts";
import type { EcdsaCurve, RsaPublicKey } from "./trust-crypto.ts";

/** A public key taken apart. `application` is there for security keys: what they were made for, mostly `ssh:`. */
export type KeyParts =
  | { readonly kind: "ed25519"; readonly key: Uint8Array; readonly application: Uint8Array | null }
  | {
      readonly kind: "ecdsa";
      readonly curve: EcdsaCurve;
      readonly point: Uint8Array;
      readonly application: Uint8Array | null;
    }
  | { readonly kind: "rsa"; readonly key: RsaPublicKey };

export const ed25519Type = "ssh-ed25519";
const skEd25519Type = "sk-ssh-ed25519@openssh.com";
const skEcdsaType = "sk-ecdsa-sha2-nistp256@openssh.com";
const rsaType = "ssh-rsa";

/** Bytes of a coordinate. */
export const curveBytes: Readonly<Record<EcdsaCurve, number>> = { nistp256: 32, nistp384: 48, nistp521: 66 };

const minRsaBits = 2048;
/** OpenSSH's own bound; beyond it a check costs seconds. */
const maxRsaBits = 16_384;

/**
 * The y of every point of small order, also as not reduced encodings. ssh-keygen takes such keys; a signature of zeros is
 * good for any message.
 */
const smallOrder: ReadonlySet<string> = new Set([
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
]);

/** The highest bit is the sign of x. */
const isSmallOrder = (key: Uint8Array): boolean =>
  smallOrder.has(hexOf(key.map((byte, at) => (at === 31 ? byte & 0x7f : byte))));

type PartsReader = (reader: WireReader) => KeyParts;

const ecdsaParts =
  (curve: EcdsaCurve, isSecurityKey: boolean): PartsReader =>
  (reader) => {
    if (reader.name() !== curve) throw new WireDefect("its curve is not that of its type");
    const point = reader.string();
    if (point.length !== 2 * curveBytes[curve] + 1 || point[0] !== 4)
      throw new WireDefect(`an ecdsa key of ${curve} is an uncompressed point`);
    return { kind: "ecdsa", curve, point, application: isSecurityKey ? reader.string() : null };
  };

const ed25519Parts =
  (isSecurityKey: boolean): PartsReader =>
  (reader) => {
    const key = reader.string();
    if (key.length !== 32) throw new WireDefect("an ed25519 key has 32 bytes");
    if (isSmallOrder(key))
      throw new WireDefect("everybody can sign with this ed25519 key: its point is of small order");
    return { kind: "ed25519", key, application: isSecurityKey ? reader.string() : null };
  };

const rsaParts: PartsReader = (reader) => {
  const exponent = reader.mpint();
  const modulus = reader.mpint();
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < minRsaBits) throw new WireDefect(`an rsa key of ${bits} bits is too short, ${minRsaBits} are the least`);
  // With the exponent 1 a message is its own signature.
  const last = exponent.at(-1) ?? 0;
  if (last % 2 === 0 || (exponent.length === 1 && last < 3))
    throw new WireDefect("an rsa key's exponent is an odd number from 3 on");
  if (bits > maxRsaBits) throw new WireDefect(`an rsa key of ${bits} bits is too long`);
  return { kind: "rsa", key: { modulus, exponent } };
};

const readers: ReadonlyMap<string, PartsReader> = new Map([
  [ed25519Type, ed25519Parts(false)],
  [skEd25519Type, ed25519Parts(true)],
  ["ecdsa-sha2-nistp256", ecdsaParts("nistp256", false)],
  ["ecdsa-sha2-nistp384", ecdsaParts("nistp384", false)],
  ["ecdsa-sha2-nistp521", ecdsaParts("nistp521", false)],
  [skEcdsaType, ecdsaParts("nistp256", true)],
  [rsaType, rsaParts],
]);

/** Can a signature by a key of this type be verified here? */
export const isVerifiedType = (type: string): boolean => readers.has(type);

/** Takes the wire form of a public key apart (RFC 4253, 5656, 8709; PROTOCOL.u2f of OpenSSH). */
export function keyPartsOf(blob: Uint8Array): Parsed<KeyParts> {
  return parsed(() => {
    const reader = new WireReader(blob);
    const type = reader.name();
    const read = readers.get(type);
    if (read === undefined) throw new WireDefect(`keys of type ${type} are not verified`);
    const parts = read(reader);
    reader.end();
    return parts;
  });
}
