import { createPrivateKey, sign } from "node:crypto";
import type { SigningKey } from "../../../src/signer/index.ts";
import { parsePublicKey } from "../../../src/trust/index.ts";
import vectors from "../../vectors/sshsig.json" with { type: "json" };

/** The key of test/vectors/sshsig.json, without a file. */
export function testKey(): SigningKey {
  const parsed = parsePublicKey(vectors.key.publicKey);
  if (!parsed.ok) throw new Error(parsed.reason);
  const der = Buffer.from(`302e020100300506032b657004220420${vectors.key.seedHex}`, "hex");
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { blob: parsed.value.blob, comment: parsed.value.comment, signRaw: (bytes) => sign(null, bytes, key) };
}
