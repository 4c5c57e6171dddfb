/** A word that a POSIX shell reads back as it is. */
export const shellWord = (text: string): string =>
  /^[-\w./:@%+=,]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
