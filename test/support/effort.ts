/**
 * `npm run soak`: every point instead of a sample, many rounds instead of a few. A test file that imports this has a
 * long form, and is all that a soak runs (scripts/test.ts). Only tests look at the variable, the product never does.
 */
const isSoak = process.env["ORRERY_SOAK"] === "1";

/** `usual` rounds in `npm test`, `soak` in `npm run soak`. */
export const rounds = (usual: number, soak: number): number => (isSoak ? soak : usual);

/** ms; a soak has an hour for each test. */
export const soakTimeout = (usualMs: number): number => (isSoak ? 3_600_000 : usualMs);
