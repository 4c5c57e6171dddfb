/** Server settings by name. */
export type ServerSettings = Readonly<Record<string, string>>;

/** A small durable server for one machine: no TCP, no replication, about 20 MB idle (ceiling about 170 MB). */
export function serverSettings(major: number): ServerSettings {
  return {
    listen_addresses: "",
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
    timezone: "UTC",
    jit: "off",
    max_connections: "40",
    shared_buffers: "128MB",
    wal_level: "minimal",
    max_wal_senders: "0",
    max_logical_replication_workers: "0",
    max_worker_processes: "2",
    max_parallel_workers_per_gather: "0",
    autovacuum_max_workers: "2",
    autovacuum_naptime: "15s",
    checkpoint_timeout: "15min",
    max_wal_size: "1GB",
    wal_compression: "on",
    log_lock_waits: "on",
    ...(major >= 18 ? { io_method: "sync", autovacuum_worker_slots: "2" } : {}),
  };
}
