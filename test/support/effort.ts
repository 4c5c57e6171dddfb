/** `npm run soak`: every point instead of a sample, many rounds instead of a few. Only tests look at it. */
const isSoak = process.env["ORRERY_SOAK"] === "1";

/** `usual` rounds in `npm test`, `soak` in `npm run soak`. */
export const rounds = (usual: number, soak: number): number => (isSoak ? soak : usual);

/** ms; a soak has an hour for each test. */
export const soakTimeout = (usualMs: number): number => (isSoak ? 3_600_000 : usualMs);
