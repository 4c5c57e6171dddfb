export type { ArtifactFile, ArtifactFs } from "./artifact-fs.ts";
export {
  type ArtifactStore,
  type ArtifactStoreOptions,
  createArtifactStore,
  type StoredArtifact,
} from "./artifact-store.ts";
export type { AttemptLog } from "./attempt-log.ts";
