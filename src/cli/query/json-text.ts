/** JSON of a result in one line; what could steer a terminal is escaped, and JSON all the same. */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
