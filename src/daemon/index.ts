export { type Daemon, type DaemonOptions, startDaemon } from "./daemon.ts";
export type { DaemonEvent, Emit } from "./daemon-event.ts";
export { refuseHeldDirectory } from "./data-directory.ts";
export { ensureRecorderKey, recorderKeyFileOf } from "./plant.ts";
