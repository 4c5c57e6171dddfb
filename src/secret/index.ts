export { ageFileDefect, encryptAge, isRecipient, maxAgeFileBytes } from "./age-file.ts";
export { createLentSecrets, type LentSecrets } from "./lent-secrets.ts";
export { createSecretGuard, type SecretGuard, type SecretValues, secretLeaked } from "./secret-guard.ts";
export {
  createSecretSources,
  type FoundSecret,
  type SecretSource,
  type SecretSources,
} from "./secret-sources.ts";
export { isSecretName, secretText } from "./secret-value.ts";
export { ageKeyFileOf, ensureSiteIdentity, readSiteIdentity, type SiteIdentity } from "./site-identity.ts";
export { storeSecretFile } from "./store-secret.ts";
