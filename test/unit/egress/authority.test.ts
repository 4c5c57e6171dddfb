import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { authorityText, parseAuthority } from "../../../src/egress/index.ts";

describe("parseAuthority", () => {
  it.each([
    ["notify.internal:443", { host: "notify.internal", port: 443 }],
    ["NOTIFY.Internal:443", { host: "notify.internal", port: 443 }],
    ["127.0.0.1:8080", { host: "127.0.0.1", port: 8080 }],
    ["[::1]:80", { host: "::1", port: 80 }],
    ["localhost:1", { host: "localhost", port: 1 }],
    ["a_b.example:65535", { host: "a_b.example", port: 65_535 }],
  ])("reads %s", (text, authority) => {
    expect(parseAuthority(text)).toEqual(authority);
  });

  it.each([
    ["no port", "host"],
    ["empty host", ":80"],
    ["empty port", "host:"],
    ["port 0", "host:0"],
    ["port with a zero before", "host:080"],
    ["port too high", "host:65536"],
    ["port with a sign", "host:+80"],
    ["userinfo", "user@host:80"],
    ["a path", "host:80/x"],
    ["a scheme", "http://host:80"],
    ["a decimal address", "2130706433:80"],
    ["an octal address", "0177.0.0.1:80"],
    ["a hexadecimal address", "0x7f.0x0.0x0.0x1:80"],
    ["a short address", "127.1:80"],
    ["a numeric last label", "host.1:80"],
    ["an IPv6 address without brackets", "::1:80"],
    ["a zone id", "[fe80::1%eth0]:80"],
    ["an open bracket", "[::1:80"],
    ["a space", "ho st:80"],
    ["a NUL", "host\0:80"],
    ["a line break", "host\r\nx:80"],
    ["an empty label", "a..b:80"],
    ["a dot at the end", "host.:80"],
    ["a hyphen first", "-host:80"],
    ["a letter beyond ASCII", "höst:80"],
    ["a percent escape", "h%6fst:80"],
    ["8 KiB", `${"a".repeat(8192)}:80`],
  ])("refuses %s", (_name, text) => {
    expect(parseAuthority(text)).toBeNull();
  });

  it("is linear: the worst text of a header's length takes no time", () => {
    const started = performance.now();

    for (let i = 0; i < 1000; i++) parseAuthority(`${"a-".repeat(126)}:1`);

    expect(performance.now() - started).toBeLessThan(1000);
  });

  it("answers whatever text with null or with what it writes back itself", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.domain().map((host) => `${host}:443`),
        ),
        (text) => {
          const authority = parseAuthority(text);
          if (authority === null || authority.host.includes(":")) return;
          expect(parseAuthority(authorityText(authority))).toEqual(authority);
        },
      ),
    );
  });
});
