import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/base/index.ts";
import { applyDelta, readDeltaHeader } from "../../../src/git/format/delta.ts";
import { isRefName } from "../../../src/git/format/ref-name.ts";
import {
  decodeCommit,
  decodeTree,
  encodeCommit,
  encodeTree,
  hashObject,
  type Oid,
  signedCommit,
  toOid,
} from "../../../src/git/index.ts";
import { gitEnvironment } from "../../support/git-fixtures.ts";

const emptyTree = toOid("4b825dc642cb6eb9a060e54bf8d69288fbee4904");
const blobOid = toOid("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
const ana = { name: "Ana", email: "ana@acme.example", seconds: 1_700_000_000, offset: "+0100" };
const armor = "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\nAAAA\n-----END SSH SIGNATURE-----";

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return error instanceof Fault ? error.code : `not a Fault: ${String(error)}`;
  }
  return "nothing thrown";
};

const rawTree = (...entries: readonly (readonly [mode: string, name: string | Buffer])[]): Buffer =>
  Buffer.concat(
    entries.flatMap(([mode, name]) => [
      Buffer.from(`${mode} `),
      Buffer.from(name as string),
      Buffer.of(0),
      Buffer.from(mode === "40000" ? emptyTree : blobOid, "hex"),
    ]),
  );

const rawCommit = (text: string): Buffer => Buffer.from(text, "utf8");
const decode = (text: string | Buffer) => {
  const body = Buffer.from(text as string);
  return decodeCommit(hashObject("commit", body), body);
};

describe("object ids", () => {
  it("are those of git for known objects", () => {
    expect(hashObject("tree", Buffer.alloc(0))).toBe(emptyTree);
    expect(hashObject("blob", Buffer.alloc(0))).toBe(blobOid);
  });

  it.each(["", "4b825dc", `${emptyTree}0`, emptyTree.toUpperCase(), `${emptyTree}\n`])(
    "refuses %j as an oid",
    (text) => {
      expect(codeOf(() => toOid(text))).toBe("REPO_CORRUPT");
    },
  );
});

describe("trees", () => {
  it("keeps mode, kind, name and oid of every kind of entry", () => {
    const body = rawTree(["100644", "a"], ["100755", "b"], ["40000", "c"], ["120000", "d"], ["160000", "e"]);

    const entries = decodeTree(body);

    expect(entries.map(({ mode, kind, name }) => [mode, kind, name])).toEqual([
      ["100644", "blob", "a"],
      ["100755", "blob", "b"],
      ["40000", "tree", "c"],
      ["120000", "symlink", "d"],
      ["160000", "submodule", "e"],
    ]);
    expect(entries.every(({ defect }) => defect === null)).toBe(true);
  });

  const unsafe: readonly (string | Buffer)[] = [
    ".git",
    ".GIT",
    ".Git ",
    ".git.",
    "git~1",
    "GIT~1",
    ".git::$INDEX_ALLOCATION",
    ".g\u200cit",
    "..",
    ".",
    "a\\b",
    "a\tb",
    "a\nb",
    "a\u007fb",
    "a\u0085b",
    "a\u202eb",
    "",
    "a/b",
    Buffer.from([0x61, 0xff]),
    Buffer.from([0xc0, 0xaf]),
    "x".repeat(256),
  ];
  it.each(unsafe.map((name) => [name]))("marks the name %j and leaves the rest of the tree readable", (name) => {
    const bytes = Buffer.from(name as string);
    const rows = [["100644", "+first"] as const, ["100644", bytes] as const, ["100644", "zz-last"] as const];
    rows.sort(([, a], [, b]) => Buffer.compare(Buffer.from(a as string), Buffer.from(b as string)));

    const entries = decodeTree(rawTree(...rows));

    expect(entries.filter(({ defect }) => defect !== null)).toHaveLength(1);
    expect(entries.filter(({ name: kept }) => kept === "+first" || kept === "zz-last")).toHaveLength(2);
  });

  it.each(["git", ".github", ".gitmodules", "git~2", "a.git", "ünïcode", "a b", "..."])(
    "accepts the name %j",
    (name) => {
      expect(decodeTree(rawTree(["100644", name]))[0]?.defect).toBeNull();
    },
  );

  it("marks names listed twice, entries out of order and unknown modes", () => {
    const twice = decodeTree(rawTree(["100644", "a"], ["100644", "a"]));
    const disordered = decodeTree(rawTree(["100644", "b"], ["100644", "a"]));
    const padded = decodeTree(rawTree(["040000", "a"]));
    const device = decodeTree(rawTree(["20644", "a"]));

    expect(twice.map(({ defect }) => defect)).toEqual([null, "name listed twice"]);
    expect(disordered.map(({ defect }) => defect)).toEqual([null, "entry out of order"]);
    expect(padded[0]).toMatchObject({ kind: "tree", defect: 'mode "040000"' });
    expect(device[0]?.defect).toBe('mode "20644"');
  });

  it.each([1, 8, 20, 27])("refuses a tree cut after %d bytes", (length) => {
    const body = rawTree(["100644", "a"]);

    expect(codeOf(() => decodeTree(body.subarray(0, length)))).toBe("REPO_CORRUPT");
  });

  it("never crashes on arbitrary bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(["nothing thrown", "REPO_CORRUPT"]).toContain(codeOf(() => decodeTree(Buffer.from(bytes))));
      }),
    );
  });

  it("writes what it reads, in git's order, whatever the order of the input", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[-a-z.+0]{1,6}$/), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(names, fc.infiniteStream(fc.boolean()), (all, isTree) => {
        const entries = all
          .filter((name) => name !== "." && name !== ".." && name !== ".git")
          .map((name) => ({
            name,
            ...(isTree.next().value ? { mode: "40000", oid: emptyTree } : { mode: "100644", oid: blobOid }),
          }));

        const body = encodeTree(entries);

        const back = decodeTree(body);
        expect(back.every(({ defect }) => defect === null)).toBe(true);
        expect(encodeTree(back)).toEqual(body);
        expect(encodeTree(entries.toReversed())).toEqual(body);
      }),
    );
  });

  it.each([
    ["an unsafe name", [{ mode: "100644", name: ".git", oid: blobOid }]],
    ["an unknown mode", [{ mode: "100600", name: "a", oid: blobOid }]],
    [
      "a name twice",
      [
        { mode: "100644", name: "a", oid: blobOid },
        { mode: "40000", name: "a", oid: emptyTree },
      ],
    ],
  ])("refuses to write %s", (_, entries) => {
    expect(codeOf(() => encodeTree(entries))).toBe("INTERNAL");
  });
});

describe("commits", () => {
  const input = { tree: emptyTree, parents: [], author: ana, committer: ana, message: "subject\n\nbody\n" };

  it("writes the bytes that stock git writes", () => {
    const parents = ["1".repeat(40), "2".repeat(40)] as Oid[];
    const ours = encodeCommit({ ...input, parents });

    // hash-object checks the format of what it hashes.
    const theirs = execFileSync("git", ["hash-object", "-t", "commit", "--stdin"], {
      input: ours,
      env: gitEnvironment(),
    });

    expect(theirs.toString().trim()).toBe(hashObject("commit", ours));
    expect(decode(ours)).toMatchObject({ tree: emptyTree, parents, author: ana, committer: ana, defect: null });
    expect(decode(ours).message).toBe("subject\n\nbody\n");
  });

  it("gives back payload and signature of a signed commit byte for byte", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("\0") && text.isWellFormed()),
        (message) => {
          const payload = encodeCommit({ ...input, message });

          const commit = decode(signedCommit(payload, armor));

          expect(commit.payload).toEqual(payload);
          expect(commit.signature).toBe(`${armor}\n`);
          expect(commit.defect).toBeNull();
          expect(commit.message).toBe(message);
        },
      ),
    );
  });

  it("does not take the word gpgsig in a message for a signature", () => {
    const payload = encodeCommit({ ...input, message: `subject\n\ngpgsig ${armor}\n` });

    const commit = decode(payload);

    expect(commit.signature).toBeNull();
    expect(commit.payload).toEqual(payload);
  });

  const head = `tree ${emptyTree}\nauthor Ana <a@x> 1 +0000\ncommitter Ana <a@x> 1 +0000\n`;
  const folded = `gpgsig ${armor.replaceAll("\n", "\n ")}\n`;
  it.each([
    ["two gpgsig headers", `${head}${folded}${folded}\nm\n`, "two gpgsig headers"],
    ["an OpenPGP signature", `${head}gpgsig -----BEGIN PGP SIGNATURE-----\n x\n\nm\n`, "signed with OpenPGP, not SSH"],
    ["an X.509 signature", `${head}gpgsig -----BEGIN SIGNED MESSAGE-----\n x\n\nm\n`, "signed with X.509, not SSH"],
    ["an empty signature", `${head}gpgsig \n\nm\n`, "gpgsig that is no SSH signature"],
    ["a signature of another hash", `${head}gpgsig-sha256 x\n\nm\n`, "header of another signature format"],
    ["a malformed author", head.replace("<a@x> 1", "<a@x 1") + "\nm\n", "malformed author"],
    ["a time beyond year 9999", head.replaceAll(" 1 ", " 999999999999 ") + "\nm\n", "malformed author"],
    [
      "a negative time",
      head.replace("committer Ana <a@x> 1", "committer Ana <a@x> -1") + "\nm\n",
      "malformed committer",
    ],
    ["no committer", `tree ${emptyTree}\nauthor Ana <a@x> 1 +0000\n\nm\n`, "malformed committer"],
    ["two authors", `${head}author Eve <e@x> 1 +0000\n\nm\n`, "header author out of place"],
    ["a parent after the committer", `${head}parent ${"1".repeat(40)}\n\nm\n`, "header parent out of place"],
    ["a NUL in the message", `${head}\nm\0hidden\n`, "NUL byte in the commit"],
    ["no blank line", head, "no blank line after the headers"],
  ])("keeps a commit with %s, its defect named", (_, text, defect) => {
    const commit = decode(text);

    expect(commit.defect).toBe(defect);
    expect(commit.tree).toBe(emptyTree);
    expect(commit.raw).toEqual(rawCommit(text));
  });

  it("keeps mergetag and encoding in the payload and latin1 messages readable", () => {
    const body = Buffer.concat([
      rawCommit(`${head}encoding latin1\n${folded}mergetag object x\n type y\n\n`),
      Buffer.of(0xe4),
    ]);

    const commit = decode(body);

    expect(commit.payload).toEqual(Buffer.from(body.toString("latin1").replace(folded, ""), "latin1"));
    expect(commit.message).toBe("\ufffd");
    expect(commit.defect).toBeNull();
  });

  it.each(["", "x", `author Ana <a@x> 1 +0000\n\n`, `tree 123\n\n`, `tree ${emptyTree}\nparent zz\n\n`])(
    "refuses %j, which has no tree or parents",
    (text) => {
      expect(codeOf(() => decode(text))).toBe("REPO_CORRUPT");
    },
  );

  it("never crashes on a commit with any bytes changed", () => {
    const whole = signedCommit(encodeCommit(input), armor);
    const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(edits, (all) => {
        const body = Buffer.from(whole);
        for (const [at, byte] of all) body[at] = byte;
        expect(["nothing thrown", "REPO_CORRUPT"]).toContain(codeOf(() => decode(body)));
      }),
    );
  });

  it.each([
    ["a line break in a name", { ...ana, name: "Ana\nparent x" }],
    ["an angle bracket in a mail", { ...ana, email: "a>b" }],
    ["a fraction of a second", { ...ana, seconds: 1.5 }],
    ["a malformed offset", { ...ana, offset: "Z" }],
  ])("refuses to write an ident with %s", (_, author) => {
    expect(codeOf(() => encodeCommit({ ...input, author }))).toBe("INTERNAL");
  });

  it.each(["", "a\n\nb", "a\r\nb"])("refuses the armor %j, which would end the headers", (text) => {
    expect(codeOf(() => signedCommit(encodeCommit(input), text))).toBe("INTERNAL");
  });
});

describe("deltas", () => {
  const base = Buffer.from("the quick brown fox");
  const run = (delta: Buffer): Buffer => applyDelta(base, delta, readDeltaHeader(delta));

  it("copies from the base and inserts from itself", () => {
    const delta = Buffer.from([19, 9, 0x91, 4, 5, 4, ...Buffer.from("est!")]);

    expect(run(delta).toString()).toBe("quickest!");
  });

  it.each([
    ["another base size", [18, 1, 1, 65]],
    ["a copy past the base", [19, 5, 0x91, 16, 5]],
    ["a copy past the result", [19, 2, 0x91, 0, 5]],
    ["an insert past the delta", [19, 5, 5, 65]],
    ["a cut copy", [19, 5, 0x91, 4]],
    ["the reserved instruction", [19, 1, 0]],
    ["a result that is too short", [19, 5, 1, 65]],
    ["no size", [0x80]],
    ["a size without end", [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]],
  ])("refuses %s", (_, bytes) => {
    expect(codeOf(() => run(Buffer.from(bytes)))).toBe("REPO_CORRUPT");
  });

  it("never crashes on arbitrary instructions", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const outcome = codeOf(() => run(Buffer.from([19, 40, ...bytes])));
        expect(["nothing thrown", "REPO_CORRUPT"]).toContain(outcome);
      }),
    );
  });
});

describe("ref names", () => {
  it("agree with git check-ref-format", () => {
    const names = ["refs/heads/main", "refs/heads/a/b", "refs/heads/.a", "refs/heads/a.lock", "refs/heads/a..b"].concat(
      [
        "refs/heads/a b",
        "refs/heads/a~1",
        "refs/heads/",
        "refs/heads//a",
        "refs/heads/a@{0}",
        "refs/heads/a.",
        "refs/x",
      ],
      ["refs/heads/ä", "refs/heads/@", "refs/heads/-a", "refs/heads/a\\b", "refs/heads/a*", "refs/../../etc/passwd"],
    );

    const accepted = names.filter((name) => {
      try {
        execFileSync("git", ["check-ref-format", name], { env: gitEnvironment(), stdio: "ignore" });
        return true;
      } catch {
        return false;
      }
    });

    expect(names.filter(isRefName)).toEqual(accepted);
  });
});
