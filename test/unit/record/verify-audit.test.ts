import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AuditCode, type AuditReport, verifyAudit } from "../../../src/record/index.ts";
import { nodeTrustCrypto } from "../../../src/signer/index.ts";
import {
  AuditBranch,
  editLines,
  type FileEdit,
  type ForgedSignature,
  recordCheck,
  segmentOf,
  signersTextOf,
  specKey,
  testGenesisBody,
  testRunBody,
  threeBatches,
} from "../../support/audit-fixtures.ts";

const verify = (branch: AuditBranch, witness: string | null = null, signersText = signersTextOf("hq")): AuditReport =>
  verifyAudit(branch.source, { crypto: nodeTrustCrypto, signersText, check: recordCheck, site: "hq", witness });

const named = ({ findings }: AuditReport, code: AuditCode): string[] =>
  findings.filter((finding) => finding.code === code).map(({ tenant, seq }) => `${tenant ?? "-"} ${String(seq)}`);

const codesOf = ({ findings }: AuditReport): string[] => [...new Set(findings.map(({ code }) => code))].sort();

const changeByte = (tenant: string, seq: number, from: string | RegExp, to: string): FileEdit =>
  editLines(tenant, seq, (lines, at) => lines.map((line, n) => (n === at ? line.replace(from, to) : line)));

const remove = (tenant: string, seq: number): FileEdit =>
  editLines(tenant, seq, (lines, at) => lines.filter((_, n) => n !== at));

const swap = (tenant: string, seq: number): FileEdit =>
  editLines(tenant, seq, (lines, at) => [
    ...lines.slice(0, at),
    ...lines.slice(at + 1, at + 2),
    ...lines.slice(at, at + 1),
    ...lines.slice(at + 2),
  ]);

describe("verifyAudit", () => {
  it("finds nothing on a branch that the recorder wrote, and says what that does not prove", () => {
    const branch = threeBatches();

    const report = verify(branch, branch.batches[1]?.checkpointText ?? null);

    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({
      ok: true,
      site: "hq",
      records: 15,
      batches: 3,
      tenants: [
        { tenant: "_site", records: 1, lastSeq: 1 },
        { tenant: "acme", records: 11, lastSeq: 11 },
        { tenant: "beta", records: 3, lastSeq: 3 },
      ],
      head: { commit: branch.commits[2], size: 15, root: branch.batches[2]?.checkpoint.root },
    });
    expect(report.notProven.length).toBeGreaterThan(4);
    expect(report.notProven.join()).toContain("due slot");
  });

  const forgers: readonly (readonly [string, ForgedSignature, AuditCode])[] = [
    ["without a signature", "none", "AUDIT_SIGNATURE"],
    ["with the old signatures", "kept", "AUDIT_SIGNATURE"],
    ["with a spec signer's key", specKey, "AUDIT_SIGNER"],
  ];

  describe.each(forgers)("a forger who rewrites history %s", (_, signature, signatureCode) => {
    const attacked = (from: number, edit: FileEdit): AuditReport => {
      const branch = threeBatches();
      branch.rewriteHistory(from, edit, signature);
      return verify(branch);
    };

    it.each([
      { where: "in the middle", seq: 3, from: /"runNo":2/, to: `"runNo":7` },
      { where: "at the end of a segment", seq: 5, from: /"status":"succeeded"/, to: `"status":"succeedee"` },
      { where: "in a seq", seq: 3, from: /"seq":3/, to: `"seq":4` },
      { where: "in an index", seq: 3, from: /"index":3/, to: `"index":9` },
      { where: "in a prev that is no hash then", seq: 4, from: /"prev":"./, to: `"prev":"x` },
      { where: "in a prev that stays a hash", seq: 4, from: /(?<="prev":"[0-9a-f]{10})[0-9a-f]{3}/, to: "000" },
      { where: "in a timestamp", seq: 7, from: /"timestamp":"2026/, to: `"timestamp":"2025` },
      { where: "so that it is no JSON", seq: 3, from: /\{"actor/, to: `["actor` },
    ])("and changes one byte $where is found, and the record named", ({ seq, from, to }) => {
      const edit = changeByte("acme", seq, from, to);

      const report = attacked(1, edit);

      expect(named(report, "AUDIT_TAMPERED")).toEqual([`acme ${String(seq)}`]);
      expect(codesOf(report)).toEqual(["AUDIT_TAMPERED", signatureCode].sort());
    });

    it("and changes one byte where no later record has seen it is found, and every record that it may be named", () => {
      const report = attacked(3, changeByte("beta", 3, `"durationMs":1000`, `"durationMs":1001`));

      expect(named(report, "AUDIT_TAMPERED")).toEqual(["acme 11", "beta 3"]);
      expect(codesOf(report)).toEqual(["AUDIT_TAMPERED", signatureCode].sort());
    });

    it("and changes one byte in a list of steps is found, and its file and record named", () => {
      const report = attacked(3, (files) => {
        const path = [...files.keys()].find((name) => name.startsWith("steps/beta/")) ?? "";
        files.set(path, Buffer.from((files.get(path)?.toString() ?? "").replace(`"attempt":1`, `"attempt":2`)));
      });

      expect(named(report, "AUDIT_TAMPERED")).toEqual(["beta 3"]);
      expect(report.findings[0]?.path).toMatch(/^steps\/beta\//);
    });

    it.each([
      ["acme", 1],
      ["acme", 3],
      ["acme", 8],
      ["acme", 11],
    ])("and deletes %s %i is found, and the record named", (tenant, seq) => {
      const report = attacked(1, remove(tenant, seq));

      expect(
        named(report, "AUDIT_GAP").some((name) => name === `${tenant} ${String(seq)}` || name.endsWith("null")),
      ).toBe(true);
      expect(codesOf(report)).toEqual(["AUDIT_GAP", signatureCode].sort());
    });

    it("and swaps two records is found, and both named", () => {
      const report = attacked(1, swap("acme", 3));

      expect(named(report, "AUDIT_ORDER").sort()).toEqual(["acme 3", "acme 4"]);
      expect(codesOf(report)).toEqual(["AUDIT_ORDER", signatureCode].sort());
    });

    it("and deletes a whole segment is found", () => {
      const report = attacked(2, (files) => files.delete(segmentOf(files, "acme", 6)));

      expect(named(report, "AUDIT_GAP")).toContain("acme 6");
      expect(codesOf(report)).not.toContain("AUDIT_TAMPERED");
    });

    it("says from which commit on it is not the recorder's", () => {
      const report = attacked(2, changeByte("acme", 7, `"runNo":5`, `"runNo":6`));

      const finding = report.findings.find(({ code }) => code === signatureCode);
      expect(finding).toMatchObject({ tenant: "acme", seq: 6, line: 1 });
      expect(finding?.message).toMatch(/^commits 2 to 3: /);
    });
  });

  describe.each(forgers)("a forger who commits on top %s", (_, signature, signatureCode) => {
    const attacked = (edit: FileEdit): AuditReport => {
      const branch = threeBatches();
      branch.commitOnTop(edit, signature);
      return verify(branch);
    };

    it("and changes one byte is found, the record and the segment named", () => {
      const report = attacked(changeByte("acme", 3, `"runNo":2`, `"runNo":7`));

      expect(named(report, "AUDIT_TAMPERED")).toEqual(["acme 3"]);
      expect(named(report, "AUDIT_REWRITTEN")).toEqual(["acme null"]);
      expect(codesOf(report)).toContain(signatureCode);
    });

    it("and deletes a record is found and named", () => {
      const report = attacked(remove("acme", 3));

      expect(named(report, "AUDIT_GAP")).toEqual(["acme 3"]);
      expect(codesOf(report)).not.toContain("AUDIT_TAMPERED");
    });

    it("and swaps two records is found and named", () => {
      const report = attacked(swap("acme", 3));

      expect(named(report, "AUDIT_ORDER").sort()).toEqual(["acme 3", "acme 4"]);
      expect(codesOf(report)).not.toContain("AUDIT_TAMPERED");
    });

    it("and removes a segment is found, each record named", () => {
      const report = attacked((files) => files.delete(segmentOf(files, "beta", 1)));

      expect(named(report, "AUDIT_GAP")).toEqual(["beta 1", "beta 2"]);
      expect(codesOf(report)).toContain("AUDIT_REWRITTEN");
    });

    it("and adds a file that has no place is found", () => {
      const report = attacked((files) => files.set("README.md", Buffer.from("hello\n")));

      expect(codesOf(report)).toContain("AUDIT_FORMAT");
    });

    it("and changes the key log is found", () => {
      const report = attacked((files) =>
        files.set("keys/log.ndjson", Buffer.from('{"from":1,"key":"ssh-ed25519 AAAA"}\n')),
      );

      expect(report.findings.some(({ code, path }) => code === "AUDIT_SIGNER" && path === "keys/log.ndjson")).toBe(
        true,
      );
    });
  });

  it("a branch cut off above a kept checkpoint is truncated, and without one looks whole", () => {
    const branch = threeBatches();
    const witness = branch.batches[2]?.checkpointText ?? "";
    branch.commits = branch.commits.slice(0, 2);

    expect(verify(branch).ok).toBe(true);
    expect(codesOf(verify(branch, witness))).toEqual(["AUDIT_TRUNCATED"]);
  });

  it("another history of the same size as a kept checkpoint is told, even one that the recorder's key signed", () => {
    const witness = threeBatches().batches[2]?.checkpointText ?? "";
    const other = new AuditBranch();
    other.append(Array.from({ length: 15 }, (_, n) => testRunBody({ n: n + 1 })));

    const report = verify(other, witness);

    expect(codesOf(report)).toEqual(["AUDIT_TRUNCATED"]);
    expect(report.findings[0]?.message).toContain("first 15 records are not those");
  });

  it("a kept checkpoint of another site is said to be one", () => {
    const witness = (threeBatches().batches[2]?.checkpointText ?? "").replace("orrery/hq", "orrery/west");

    expect(verify(threeBatches(), witness).findings).toMatchObject([{ code: "AUDIT_CHECKPOINT" }]);
  });

  it("a branch of another site's recorder is not taken for this one's", () => {
    const branch = new AuditBranch("west", specKey);
    branch.append([testGenesisBody("west")]);

    const report = verify(branch, null, signersTextOf("hq") + signersTextOf("west", specKey));

    expect(codesOf(report)).toContain("AUDIT_SIGNER");
  });

  it("a forged segment in a chained commit on top, checkpoint and all, is named by its first record", () => {
    const forged = threeBatches();
    const thief = new AuditBranch("hq", specKey);
    thief.append([testRunBody({ n: 99 })]);
    const line =
      thief
        .files(1)
        .get(segmentOf(thief.files(1), "acme", 1))
        ?.toString()
        .replace(`"seq":1`, `"seq":12`) ?? "";
    forged.commitOnTop((files) => {
      files.set("records/acme/2026/11/24/000000000012.ndjson", Buffer.from(line));
      for (const name of ["checkpoint", "checkpoint.sig"]) files.set(name, thief.files(1).get(name) ?? Buffer.alloc(0));
    }, specKey);

    const report = verify(forged);

    expect(report.findings.find(({ code }) => code === "AUDIT_SIGNER")).toMatchObject({ tenant: "acme", seq: 12 });
    expect(codesOf(report)).toContain("AUDIT_CHECKPOINT");
  });

  it("a damaged or missing object is a finding, never a crash", () => {
    const branch = threeBatches();
    const tree = branch.source.readCommit(branch.commits[1] ?? "").tree;
    branch.objects.delete(tree);

    expect(verify(branch).findings[0]).toMatchObject({ code: "AUDIT_TAMPERED" });
  });

  it("a signers file with a bad line is refused, not skipped", () => {
    expect(() => verify(threeBatches(), null, `${signersTextOf("hq")}nonsense\n`)).toThrow(/line 2/);
  });
});

describe("any one byte of any record", () => {
  it("changed in a rewritten history: some record of the same or the next place is named, nothing crashes", () => {
    const whole = threeBatches();
    const paths = [...whole.files(3).keys()].filter((path) => path.startsWith("records/"));
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.nat(), fc.integer({ min: 1, max: 255 }), (path, at, flip) => {
        const branch = threeBatches();
        branch.rewriteHistory(
          1,
          (files) => {
            const bytes = files.get(path);
            if (bytes === undefined) return;
            const place = at % bytes.length;
            bytes[place] = (bytes[place] ?? 0) ^ flip;
          },
          "kept",
        );

        const report = verify(branch);

        const tenant = path.split("/")[1];
        const about = report.findings.filter(({ code }) => code !== "AUDIT_SIGNATURE");
        expect(about.length).toBeGreaterThan(0);
        expect(about.some((finding) => finding.tenant === tenant)).toBe(true);
      }),
      { numRuns: 40, seed: 1 },
    );
  });
});
