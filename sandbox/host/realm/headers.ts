const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export class Headers {
  readonly #fields = new Map<string, string>();

  constructor(init?: unknown) {
    if (init === undefined || init === null) return;
    const pairs =
      Symbol.iterator in Object(init)
        ? (init as Iterable<readonly [unknown, unknown]>)
        : Object.entries(init as Record<string, unknown>);
    for (const [name, value] of pairs) this.append(name, value);
  }
  append(name: unknown, value: unknown): void {
    const had = this.get(name);
    this.set(name, had === null ? value : `${had}, ${String(value)}`);
  }
  set(name: unknown, value: unknown): void {
    const text = String(value).trim();
    if (/[\r\n\0]/.test(text)) throw new TypeError("invalid header value");
    this.#fields.set(lower(name), text);
  }
  get(name: unknown): string | null {
    return this.#fields.get(lower(name)) ?? null;
  }
  has(name: unknown): boolean {
    return this.#fields.has(lower(name));
  }
  delete(name: unknown): void {
    this.#fields.delete(lower(name));
  }
  forEach(call: (value: string, name: string, self: unknown) => void): void {
    for (const [name, value] of this.entries()) call(value, name, this);
  }
  entries(): IterableIterator<[string, string]> {
    return [...this.#fields].sort((a, b) => (a[0] < b[0] ? -1 : 1)).values();
  }
  keys(): IterableIterator<string> {
    return Array.from(this.entries(), (pair) => pair[0]).values();
  }
  values(): IterableIterator<string> {
    return Array.from(this.entries(), (pair) => pair[1]).values();
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
}

function lower(name: unknown): string {
  const text = String(name).toLowerCase();
  if (!tokenPattern.test(text)) throw new TypeError("invalid header name");
  return text;
}
