export type { ArtifactFile, ArtifactFs } from "./artifact-fs.ts";
export {
  type ArtifactStore,
  createArtifactStore,
} from "./artifact-store.ts";
export type { AttemptLog } from "./attempt-log.ts";
