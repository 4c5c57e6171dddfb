import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/base/index.ts";
import { databaseFault } from "../../../src/database/database-fault.ts";
import { sonameOf } from "../../../src/database/embedded/binaries.ts";
import { pendingOf } from "../../../src/database/migrate.ts";

const file = (name: string, sha256 = name) => ({ name, sha256, sql: "" });

describe("pending migrations", () => {
  const files = [file("0001_a.sql"), file("0002_b.sql"), file("0003_c.sql")];

  it("are those after the applied ones, in order", () => {
    expect(pendingOf(files, files.slice(0, 1)).map((migration) => migration.name)).toEqual([
      "0002_b.sql",
      "0003_c.sql",
    ]);
    expect(pendingOf(files, files)).toEqual([]);
  });

  it("are none where an applied file was edited, is unknown, or one was slipped in below it", () => {
    expect(() => pendingOf(files, [file("0001_a.sql", "other")])).toThrow(
      expect.objectContaining({ code: "MIGRATION_CHANGED" }) as Error,
    );
    expect(() => pendingOf(files, [...files, file("0004_d.sql")])).toThrow(
      expect.objectContaining({ code: "DATABASE_UNFIT" }) as Error,
    );
    expect(() => pendingOf(files, [file("0002_b.sql")])).toThrow(
      expect.objectContaining({ code: "DATABASE_UNFIT" }) as Error,
    );
  });
});

describe("sonames", () => {
  it("are what a loader asks for, on Linux and macOS, and nothing else", () => {
    expect(["libpq.so.5.18", "libicui18n.so.60.2", "libicudata.77.1.dylib"].map(sonameOf)).toEqual([
      "libpq.so.5",
      "libicui18n.so.60",
      "libicudata.77.dylib",
    ]);
    expect(["libpq.so.5", "libpq.so", "libpq.a", "libpq.5.dylib", "pg_symlinks.json"].map(sonameOf)).toEqual([
      null,
      null,
      null,
      null,
      null,
    ]);
  });
});

describe("foreign errors", () => {
  const driver = (code: string, message = "x"): Error => Object.assign(new Error(message), { code });
  const codeOf = (error: unknown): string => databaseFault(error).code;

  it("become what the loop above can act on", () => {
    expect(["40001", "40P01", "55P03"].map((state) => codeOf(driver(state)))).toEqual(Array(3).fill("STORE_CONFLICT"));
    expect(
      ["57P01", "57014", "08006", "53300", "ECONNREFUSED", "ENOENT"].map((state) => codeOf(driver(state))),
    ).toEqual(Array(6).fill("DATABASE_UNAVAILABLE"));
    expect(["22021", "23514", "23505"].map((state) => codeOf(driver(state)))).toEqual(
      Array(3).fill("DATABASE_CONTENT"),
    );
    expect(codeOf(driver("OR001"))).toBe("WORKER_FENCED");
    expect(codeOf(new Error("Connection terminated unexpectedly"))).toBe("DATABASE_UNAVAILABLE");
    expect(codeOf(driver("42501"))).toBe("INTERNAL");
  });

  it("keep a fault as it is, and never show the foreign words", () => {
    const fault = new Fault("NOT_FOUND", "x");
    expect(databaseFault(fault)).toBe(fault);
    expect(databaseFault(driver("23514", "row (secret) violates")).message).not.toContain("secret");
  });
});
