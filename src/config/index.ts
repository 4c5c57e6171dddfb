export type { Config, Level, Listen } from "./config.ts";
export { type ConfigKey, configFileOf, type Flags } from "./config-layers.ts";
export { type DaemonFile, daemonFileOf, isAlive, readDaemonFile } from "./daemon-file.ts";
export { type Environment, readEnvironment } from "./environment.ts";
export { dataDirOf, loadConfig } from "./load-config.ts";
