export type { Target } from "./client.ts";
export type { Connection, Database, Row, Session, Statement, TransactionOptions } from "./database.ts";
export { type EmbeddedOptions, type EmbeddedServer, startEmbeddedServer } from "./embedded/index.ts";
export {
  connectDatabase,
  type DatabaseConfig,
  type DatabaseDeps,
  type DatabaseTargets,
  openDatabase,
} from "./open-database.ts";
