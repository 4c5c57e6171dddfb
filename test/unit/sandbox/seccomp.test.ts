import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { seccompFilter } from "../../../src/sandbox/seccomp.ts";
import { decidedCalls, type Machine, refusedCalls } from "../../../src/sandbox/syscalls.ts";

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const errno = (n: number): number => 0x00050000 | n;
const arch = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** The kernel's side, written again: runs the program on one call. */
function verdict(filter: Uint8Array, call: { arch: number; number: number; args?: number[] }): number {
  const view = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const word = (offset: number): number => {
    if (offset === 0) return call.number;
    if (offset === 4) return call.arch;
    return (offset - 16) % 8 === 0 ? (call.args?.[(offset - 16) / 8] ?? 0) >>> 0 : 0;
  };
  let accumulator = 0;
  for (let at = 0; at < filter.length / 8; at++) {
    const code = view.getUint16(at * 8, true);
    const k = view.getUint32(at * 8 + 4, true);
    if (code === 0x06) return k;
    if (code === 0x20) accumulator = word(k);
    else {
      const holds =
        code === 0x15 ? accumulator === k : code === 0x35 ? accumulator >= k : (accumulator & k) >>> 0 !== 0;
      at += view.getUint8(at * 8 + (holds ? 2 : 3));
    }
  }
  throw new Error("ran off the end");
}

const machines: readonly Machine[] = ["x64", "arm64"];

describe("seccomp filter", () => {
  it("keeps its golden bytes", () => {
    const digests = machines.flatMap((machine) =>
      [false, true].map((broker) => {
        const filter = seccompFilter({ machine, broker });
        return `${machine} ${broker ? "broker" : "closed"} ${String(filter.length)} ${createHash("sha256").update(filter).digest("hex")}`;
      }),
    );

    expect(digests).toMatchInlineSnapshot(`
      [
        "x64 closed 1384 e058928dd943eec5a2769e120b6c0cb561d53c737d4542e4113569d900820778",
        "x64 broker 1408 8b151a3fcd5ca786cb053077c1fd89e78840137cf40ab9613a877e77077560e1",
        "arm64 closed 1208 18dd1467fe6f8392775b057d38ef453838205d33ce18a2f6014544a241df3eb8",
        "arm64 broker 1232 7271dd8a3901b39deffd91b1114af3e55bdab08155f66c9aa4f6caa405edb67c",
      ]
    `);
  });

  it.each(machines)("refuses every listed call and a foreign architecture on %s", (machine) => {
    const filter = seccompFilter({ machine, broker: true });
    const numbers = refusedCalls.map((row) => (machine === "x64" ? row[1] : row[2])).filter((n) => n !== null);

    const refused = numbers.filter((number) => verdict(filter, { arch: arch[machine], number }) !== errno(1));

    expect(refused).toEqual([]);
    expect(verdict(filter, { arch: machine === "x64" ? arch.arm64 : arch.x64, number: 0 })).toBe(KILL);
    expect(verdict(filter, { arch: 0x40000003, number: 0 })).toBe(KILL);
  });

  it.each(machines)("lets clone make threads and nothing else on %s", (machine) => {
    const filter = seccompFilter({ machine, broker: false });
    const clone = (flags: number): number =>
      verdict(filter, { arch: arch[machine], number: decidedCalls[machine].clone, args: [flags] });

    expect(clone(0x3d0f00)).toBe(ALLOW);
    expect(clone(17)).toBe(errno(1));
    expect(clone(0x10000000 | 0x10000)).toBe(errno(1));
    expect(verdict(filter, { arch: arch[machine], number: decidedCalls[machine].clone3 })).toBe(errno(38));
  });

  it.each(machines)("opens only AF_UNIX with a broker and no family without one on %s", (machine) => {
    const socket = (broker: boolean, family: number): number =>
      verdict(seccompFilter({ machine, broker }), {
        arch: arch[machine],
        number: decidedCalls[machine].socket,
        args: [family],
      });

    expect([1, 2, 10, 16, 17, 38, 40].map((family) => socket(true, family))).toEqual([
      ALLOW,
      ...Array.from({ length: 6 }, () => errno(97)),
    ]);
    expect([1, 2, 10, 16, 17, 38, 40].map((family) => socket(false, family))).toEqual(
      Array.from({ length: 7 }, () => errno(13)),
    );
  });

  it("refuses the x32 twins of x64 calls", () => {
    const filter = seccompFilter({ machine: "x64", broker: true });

    expect(verdict(filter, { arch: arch.x64, number: 0x40000000 | 41, args: [2] })).toBe(errno(1));
  });

  it("agrees with the kernel headers of this machine", (context) => {
    const headers: Record<Machine, string> = {
      x64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
      arm64: "/usr/include/asm-generic/unistd.h",
    };
    let compared = 0;
    for (const machine of machines) {
      let text: string;
      try {
        text = readFileSync(headers[machine], "utf8");
      } catch {
        continue;
      }
      const numbers = new Map(
        [...text.matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)/gm)].map((m) => [m[1], Number(m[2])]),
      );
      for (const [name, x64, arm64] of refusedCalls) {
        const number = machine === "x64" ? x64 : arm64;
        if (number === null || !numbers.has(name)) continue;
        expect([name, number]).toEqual([name, numbers.get(name)]);
        compared++;
      }
    }
    if (compared === 0) context.skip("no kernel headers on this machine");
  });
});
