export { type Daemon, type DaemonOptions, startDaemon } from "./daemon.ts";
export type { DaemonEvent, Emit } from "./daemon-event.ts";
export { refuseHeldDirectory } from "./daemon-lock.ts";
export { ensureRecorderKey, recorderKeyFileOf } from "./plant.ts";
