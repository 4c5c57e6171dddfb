import { describe, expect, it } from "vitest";
import { addressRange } from "../../../src/egress/address-range.ts";

describe("addressRange", () => {
  it.each([
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "::ffff:7f00:1",
    "0:0:0:0:0:ffff:c0a8:0101",
  ])("calls %s private", (address) => {
    expect(addressRange(address)).toBe("private");
  });

  it.each([
    "0.0.0.0",
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "::",
    "fe80::1",
    "ff02::1",
    "224.0.0.1",
    "255.255.255.255",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "not an address",
    "",
  ])("never reaches %s", (address) => {
    expect(addressRange(address)).toBe("never");
  });

  it.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])(
    "calls %s public",
    (address) => {
      expect(addressRange(address)).toBe("public");
    },
  );
});
