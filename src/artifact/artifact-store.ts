import { join } from "node:path";
import { Fault } from "../base/index.ts";
import { type ArtifactFs, nodeArtifactFs } from "./artifact-fs.ts";
import { type AttemptLog, createAttemptLog } from "./attempt-log.ts";
import { makeDirectory } from "./durable-directory.ts";
import { createObjectArea } from "./object-area.ts";
import { checkedTenant } from "./object-path.ts";

/** A reference as it stands in outputs (DESIGN.md section 6): plain data, no capability. */
interface StoredArtifact {
  readonly artifact: string;
  readonly bytes: number;
  readonly mediaType: string;
}

/**
 * Artifacts and logs as files named by their hash, per tenant: equal bytes of one tenant are one file, of two tenants
 * always two. A file is durable when `write` or `close` resolves, so rows that name it come after.
 */
export interface ArtifactStore {
  /** Faults: ARTIFACT_TOO_LARGE, ARTIFACT_MEDIA_TYPE; a failed write leaves nothing behind. */
  write(tenant: string, bytes: AsyncIterable<Uint8Array>, mediaType: string, maxBytes: number): Promise<StoredArtifact>;
  /**
   * Streams and hashes. ARTIFACT_MISSING at the first chunk, ARTIFACT_CORRUPT after the last: nobody may act on the
   * bytes before the stream has ended.
   */
  read(tenant: string, sha256: string): AsyncIterable<Uint8Array>;
  has(tenant: string, sha256: string): Promise<boolean>;
  /** `redact`: what besides the shapes of credentials must not be kept: the secrets that the step was lent. */
  openLog(tenant: string, maxBytes: number, redact?: (text: string) => string): AttemptLog;
  /** As `read`, for logs. */
  readLog(tenant: string, hash: string): AsyncIterable<Uint8Array>;
}

export interface ArtifactStoreOptions {
  /** Exists, is ours alone, lies on one file system. */
  readonly root: string;
  readonly redact: (text: string) => string;
  readonly fs?: ArtifactFs;
}

/** RFC 6838 names and simple parameters; what goes into records and HTTP headers is held to this. */
const mediaTypePattern =
  /^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}(?:; ?[a-z0-9-]{1,32}=[A-Za-z0-9._-]{1,64}){0,4}$/;

/** Makes the directories and sweeps what a crash left in staging: no row can name it. One store per root and process. */
export async function createArtifactStore({
  root,
  redact,
  fs = nodeArtifactFs,
}: ArtifactStoreOptions): Promise<ArtifactStore> {
  const staging = join(root, "staging");
  const [artifactRoot, logRoot] = [join(root, "artifacts"), join(root, "logs")];
  for (const directory of [staging, artifactRoot, logRoot]) await makeDirectory(fs, directory);
  for (const name of await fs.readdir(staging)) await fs.unlink(join(staging, name));
  const artifacts = createObjectArea({ fs, area: artifactRoot, staging });
  const logs = createObjectArea({ fs, area: logRoot, staging });
  return {
    write: async (tenant, bytes, mediaType, maxBytes) => {
      checkedTenant(tenant);
      if (!mediaTypePattern.test(mediaType)) throw new Fault("ARTIFACT_MEDIA_TYPE", "not a media type");
      const stored = await artifacts.store(tenant, bytes, maxBytes);
      return { artifact: stored.sha256, bytes: stored.bytes, mediaType };
    },
    read: (tenant, sha256) => artifacts.read(tenant, sha256),
    has: (tenant, sha256) => artifacts.has(tenant, sha256),
    openLog: (tenant, maxBytes, own = (text) => text) =>
      createAttemptLog({
        ...{ tenant: checkedTenant(tenant), maxBytes, area: logs },
        redact: (text) => redact(own(text)),
      }),
    readLog: (tenant, hash) => logs.read(tenant, hash),
  };
}
