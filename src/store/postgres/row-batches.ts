/** A statement of ten thousand rows would keep the event loop while it is encoded. */
const rowsAtOnce = 256;

/** Hands the rows over in their order, so many as one statement may carry. Nothing for no rows. */
export async function inBatches<T>(rows: readonly T[], write: (batch: readonly T[]) => Promise<void>): Promise<void> {
  for (let at = 0; at < rows.length; at += rowsAtOnce) await write(rows.slice(at, at + rowsAtOnce));
}
