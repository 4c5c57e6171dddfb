/** Each item with its answer, in order; the answer to the next is on its way while the last is worked on. */
export async function* readAhead<Item, Answer>(
  items: readonly Item[],
  read: (item: Item) => Promise<Answer>,
): AsyncGenerator<readonly [Item, Answer]> {
  const ask = (item: Item | undefined): Promise<Answer> | null => {
    const answer = item === undefined ? null : read(item);
    // Who stops early hears nothing of the next one's failure.
    answer?.catch(() => undefined);
    return answer;
  };
  let next = ask(items[0]);
  for (const [i, item] of items.entries()) {
    const answer = next === null ? await read(item) : await next;
    next = ask(items[i + 1]);
    yield [item, answer];
  }
}
