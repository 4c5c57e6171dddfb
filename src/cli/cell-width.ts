const nothing = /^[\p{M}\p{Cf}\u{1160}-\u{11ff}]$/u;
// East Asian Width W and F, in whole blocks, and what terminals draw as a picture.
const wide =
  /^[\p{Emoji_Presentation}\u{1100}-\u{115f}\u{2e80}-\u{303e}\u{3041}-\u{33ff}\u{3400}-\u{4dbf}\u{4e00}-\u{a4cf}\u{a960}-\u{a97c}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe30}-\u{fe6f}\u{ff01}-\u{ff60}\u{ffe0}-\u{ffe6}\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]$/u;

/** Cells of a terminal that a character takes, as wcwidth(3) counts: 0, 1 or 2. */
function cellsOf(character: string): 0 | 1 | 2 {
  if ((character.codePointAt(0) ?? 0) < 0x300) return 1;
  if (nothing.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** Cells that a text takes, character by character; no control character is in it. */
export const cellWidth = (text: string): number =>
  Array.from(text).reduce((sum, character) => sum + cellsOf(character), 0);
