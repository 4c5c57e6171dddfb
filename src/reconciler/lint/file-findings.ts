import { type Finding, knownSecret, type PinnedFile } from "../../spec/index.ts";

/** Larger files are data of machines: nobody pastes a key into them, and reading them all costs. */
const maxBytes = 1024 * 1024;

/** Secrets of a known shape within tenants/<tenant>/files/. Random texts are not looked for: documents are full of hashes. */
export function fileFindings(
  tenant: string,
  files: readonly PinnedFile[],
  read: (sha256: string) => Buffer | null,
): readonly Finding[] {
  return files.flatMap(({ path, sha256, bytes }): readonly Finding[] => {
    const content = bytes > maxBytes ? null : read(sha256);
    if (content === null) return [];
    const text = content.toString("utf8");
    const found = knownSecret(text);
    if (found === null) return [];
    const before = text.slice(0, found.offset);
    return [
      {
        ...{ code: "SECRET_IN_SPEC", severity: "error", path: `tenants/${tenant}/files/${path}` },
        ...{ line: before.split("\n").length, col: found.offset - before.lastIndexOf("\n"), pointer: "" },
        message: `${found.what} stands in the repository`,
        fix: "Withdraw it where it is valid and remove it: it stays in the history.",
      },
    ];
  });
}
