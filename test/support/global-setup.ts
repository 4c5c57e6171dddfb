import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { systemClock } from "../../src/base/index.ts";
import { connectDatabase, type EmbeddedServer, startEmbeddedServer } from "../../src/database/index.ts";
import { targetsOf, templateName, withServer } from "./postgres-targets.ts";
import { silentLog } from "./silent-log.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Socket directory of the run's one PostgreSQL server. */
    postgresSocket: string;
  }
}

interface SharedServer {
  readonly started: Promise<{ readonly server: EmbeddedServer; readonly directory: string }>;
  users: number;
}

// Vitest loads this file once for each project of a run; the server is one for all.
const shared = globalThis as typeof globalThis & { orreryTestServer?: SharedServer };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.orreryTestServer ??= { started: startServer(), users: 0 };
  const mine = shared.orreryTestServer;
  mine.users += 1;
  const { server, directory } = await mine.started;
  project.provide("postgresSocket", server.socketDir);
  return async () => {
    mine.users -= 1;
    if (mine.users > 0) return;
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
}

async function startServer(): Promise<{ server: EmbeddedServer; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), "orrery-pg-"));
  // Tests lose nothing in a power cut; nowhere else is fsync off.
  const settings = { fsync: "off", full_page_writes: "off", max_connections: "100", shared_buffers: "64MB" };
  const server = await startEmbeddedServer({ dataDir: directory, runDir: join(directory, "run"), settings }, silentLog);
  await withServer(server.socketDir, (admin) => admin.query(`create database ${templateName}`));
  const template = await connectDatabase(targetsOf(server.socketDir, templateName), {
    log: silentLog,
    clock: systemClock,
  });
  await template.close();
  return { server, directory };
}
