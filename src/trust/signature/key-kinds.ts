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
    return { kind: "ed25519", key, application: isSecurityKey ? reader.string() : null };
  };

const rsaParts: PartsReader = (reader) => {
  const exponent = reader.mpint();
  const modulus = reader.mpint();
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < minRsaBits) throw new WireDefect(`an rsa key of ${bits} bits is too short, ${minRsaBits} are the least`);
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
