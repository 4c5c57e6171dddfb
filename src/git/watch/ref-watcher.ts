import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type FSWatcher, watch } from "chokidar";
import { type Clock, Fault, type Service, TaskGroup, WakeUp } from "../../base/index.ts";
import type { GitRepository } from "../read/repository.ts";

export interface WatchRefsOptions {
  readonly repository: Pick<GitRepository, "commonDir" | "readRef">;
  /** Full names; refs besides these never wake. */
  readonly refs: readonly string[];
  /** Folders of refs, `refs/a/b`: any ref that comes below or goes wakes, packing them too. */
  readonly folders?: readonly string[];
  readonly pollMs: number;
  readonly clock: Clock;
  /** Carries nothing: read the refs again. Also called once at start. Must not throw. */
  readonly onWake: () => void;
  /** The watcher lost its sight (inotify limit ...); the poll goes on. */
  readonly onFailure: (error: unknown) => void;
}

/** One push writes several files within a few milliseconds. */
const coalesceMs = 20;
/** Chokidar swallows a second change of one file within 50 ms of the first: look once more when that time is over. */
const settleMs = 80;

/**
 * Wakes when a watched ref has another value than at the last wake. File events only make it look sooner: packing
 * unlinks a ref's file without changing the ref, so what is read counts, never what the event says. The poll finds what
 * events miss (inotify limits, NFS, overlays).
 */
export function watchRefs(options: WatchRefsOptions): Service {
  const { clock, onWake, onFailure, pollMs } = options;
  const tasks = new TaskGroup((_, error) => onFailure(error));
  const events = new WakeUp();
  let files: FSWatcher | null = null;
  let stopped = false;
  // Nothing seen yet: the first look wakes, since a ref may have moved between its reader's last look and our start.
  let seen: string | null = null;

  const look = async (): Promise<void> => {
    const below = await Promise.all((options.folders ?? []).map((folder) => namesBelow(options, folder)));
    const now = [observedRefs(options), ...below].join("\n");
    if (now === seen) return;
    seen = now;
    onWake();
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      const byEvent = await events.wait((waiting) => clock.sleep(pollMs, waiting), signal);
      if (byEvent) await clock.sleep(coalesceMs, signal);
      await look();
      if (!byEvent) continue;
      await clock.sleep(settleMs, signal);
      await look();
    }
  };

  return {
    name: "ref-watcher",
    start: async () => {
      if (stopped || files !== null) return;
      files = openWatcher(options, () => events.wake());
      await readyOrFailed(files, onFailure);
      if (tasks.signal.aborted) return;
      await look();
      tasks.run("watch-refs", run);
    },
    stop: async () => {
      stopped = true;
      await Promise.all([files?.close(), tasks.stop()]);
    },
  };
}

function openWatcher({ repository, refs, folders = [] }: WatchRefsOptions, onEvent: () => void): FSWatcher {
  const root = repository.commonDir;
  const wanted = new Set([
    root,
    join(root, "packed-refs"),
    ...[...refs, ...folders].flatMap((ref) => pathsDownTo(root, ref)),
  ]);
  // From the directory that is always there: given a missing packed-refs, chokidar says `ready` before it watches
  // anything. Only the files of the watched refs and the directories above them are let in: our own commits to the
  // audit branch, and every lock file, stay without a watch.
  const below = folders.map((folder) => `${join(root, folder)}/`);
  const ignored = (path: string): boolean =>
    !wanted.has(path) && (path.endsWith(".lock") || !below.some((folder) => path.startsWith(folder)));
  return watch(root, { ignoreInitial: true, followSymlinks: false, atomic: false, ignored }).on("all", onEvent);
}

function pathsDownTo(root: string, ref: string): readonly string[] {
  const parts = ref.split("/");
  return parts.map((_, index) => join(root, ...parts.slice(0, index + 1)));
}

/** Chokidar reports an error instead of `ready` when the kernel gives no watch; the poll must start all the same. */
async function readyOrFailed(watcher: FSWatcher, onFailure: (error: unknown) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    watcher.on("error", (error) => {
      onFailure(new Fault("INTERNAL", "watching the refs failed, the poll goes on", { cause: error }));
      resolve();
    });
    watcher.once("ready", resolve);
  });
}

/** What the watched refs say now, as one comparable text. A ref that cannot be read is a state of its own, not an end. */
function observedRefs({ repository, refs }: WatchRefsOptions): string {
  return refs
    .map((ref) => {
      try {
        return `${ref} ${repository.readRef(ref) ?? "absent"}`;
      } catch (error) {
        return `${ref} ${error instanceof Fault ? `${error.code} ${error.message}` : "unreadable"}`;
      }
    })
    .join("\n");
}

/** So many names are told apart; whoever may push can make millions. */
const maxNames = 20_000;

/** The names of the loose refs below a folder; asynchronous, since there may be thousands. */
async function namesBelow({ repository }: WatchRefsOptions, folder: string): Promise<string> {
  const root = repository.commonDir;
  const names: string[] = [];
  const pending = [folder];
  for (let at = pending.pop(); at !== undefined && names.length < maxNames; at = pending.pop()) {
    const entries = await readdir(join(root, at), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.isDirectory()) pending.push(`${at}/${entry.name}`);
      else if (!entry.name.endsWith(".lock")) names.push(`${at}/${entry.name}`);
    }
  }
  return names.sort().join("\n");
}
