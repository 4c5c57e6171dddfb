export { signSshsig } from "./message-signature.ts";
export { nodeTrustCrypto } from "./node-trust-crypto.ts";
export { readPrivateKey, type SigningKey } from "./private-key.ts";
export { createPrivateKeyFile } from "./private-key-file.ts";
export {
  type LastSigned,
  type SignAnswer,
  type SignedFile,
  type SignedObject,
  type SignRequest,
} from "./sign-request.ts";
export { createSignerClient, type RecorderKey, type SignerClient, type SignerOptions } from "./signer-client.ts";
export { type AgentKey, type AgentSigner, agentSigner, listAgentKeys } from "./ssh-agent.ts";
