import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { placeBinaries } from "../../../src/database/embedded/binaries.ts";

/** Neither root nor whoever runs the tests. */
const someoneElse = { uid: 61_234, gid: 61_234 };

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "orrery-closed-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A package of binaries below a directory that lets nobody but us through, as `mktemp -d` makes one. */
function closedPackage(): string {
  const native = join(home, "closed", "native");
  mkdirSync(join(native, "bin"), { recursive: true });
  mkdirSync(join(native, "lib"));
  writeFileSync(join(native, "bin", "postgres"), "", { mode: 0o755 });
  chmodSync(join(home, "closed"), 0o700);
  return native;
}

describe("the server's binaries in a checkout that its own user cannot enter", () => {
  it("are placed in the first farm that this user reaches, though no farm stands yet", () => {
    chmodSync(home, 0o755);
    const farms = [join(home, "closed", "pgdist"), join(home, "pgdist")];

    const bin = placeBinaries(closedPackage(), farms, someoneElse);

    expect(bin).toBe(join(home, "pgdist", "bin"));
    expect(existsSync(join(bin, "postgres"))).toBe(true);
    expect([statSync(join(home, "pgdist")).mode & 0o111, statSync(bin).mode & 0o111]).toEqual([0o111, 0o111]);
  });

  it("are told by name where no farm can be reached", () => {
    const farms = [join(home, "closed", "pgdist")];
    const native = closedPackage();

    expect(() => placeBinaries(native, farms, someoneElse)).toThrow(
      expect.objectContaining({ code: "DATABASE_UNFIT" }),
    );
  });
});
