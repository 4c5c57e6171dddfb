import { type HostCall, textOf } from "./host-call.ts";

type Pair = [name: string, value: string];

/** application/x-www-form-urlencoded as the URL standard writes it. */
function formText(pairs: Iterable<Pair>): string {
  return Array.from(pairs, ([name, value]) => `${escaped(name)}=${escaped(value)}`).join("&");
}

function escaped(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!~'()]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%20/g, "+");
}

export interface SearchParams {
  toString(): string;
}

export type SearchParamsClass = new (init?: unknown, onChange?: (text: string) => void) => SearchParams;

export function searchParamsClass(host: HostCall, encode: (text: string) => Uint8Array): SearchParamsClass {
  const unescaped = (text: string): string => {
    const bytes = encode(text.replaceAll("+", " "));
    let length = 0;
    for (let i = 0; i < bytes.length; i++, length++) {
      const digits = bytes[i] === 0x25 ? String.fromCharCode(bytes[i + 1] ?? 0, bytes[i + 2] ?? 0) : "";
      const isEscape = /^[0-9a-f]{2}$/i.test(digits);
      bytes[length] = isEscape ? Number.parseInt(digits, 16) : (bytes[i] ?? 0);
      if (isEscape) i += 2;
    }
    return textOf(host("utf8Read", bytes.slice(0, length)));
  };
  const parsed = (text: string): Pair[] =>
    text
      .replace(/^\?/, "")
      .split("&")
      .filter((part) => part !== "")
      .map((part) => {
        const cut = part.indexOf("=");
        const name = cut < 0 ? part : part.slice(0, cut);
        return [unescaped(name), cut < 0 ? "" : unescaped(part.slice(cut + 1))];
      });

  return class URLSearchParams extends FormPairs {
    constructor(init: unknown = "", onChange: (text: string) => void = () => undefined) {
      super(pairsOf(init, parsed), onChange);
    }
  };
}

/** The pairs with their order; `onChange` tells a URL that its search changed. */
class FormPairs implements SearchParams {
  #pairs: Pair[];
  readonly #onChange: (text: string) => void;

  constructor(pairs: Pair[], onChange: (text: string) => void) {
    this.#pairs = pairs;
    this.#onChange = onChange;
  }
  get size(): number {
    return this.#pairs.length;
  }
  append(name: unknown, value: unknown): void {
    this.#pairs.push([String(name), String(value)]);
    this.#onChange(this.toString());
  }
  delete(name: unknown, value?: unknown): void {
    this.#pairs = this.#pairs.filter((pair) => !isPair(pair, name, value));
    this.#onChange(this.toString());
  }
  get(name: unknown): string | null {
    return this.#pairs.find((pair) => pair[0] === String(name))?.[1] ?? null;
  }
  getAll(name: unknown): string[] {
    return this.#pairs.filter((pair) => pair[0] === String(name)).map((pair) => pair[1]);
  }
  has(name: unknown, value?: unknown): boolean {
    return this.#pairs.some((pair) => isPair(pair, name, value));
  }
  set(name: unknown, value: unknown): void {
    const at = this.#pairs.findIndex((pair) => pair[0] === String(name));
    this.#pairs = this.#pairs.filter((pair, i) => i === at || pair[0] !== String(name));
    const first = this.#pairs.find((pair) => pair[0] === String(name));
    if (first === undefined) this.#pairs.push([String(name), String(value)]);
    else first[1] = String(value);
    this.#onChange(this.toString());
  }
  sort(): void {
    this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this.#onChange(this.toString());
  }
  forEach(call: (value: string, name: string, self: unknown) => void): void {
    for (const [name, value] of this.#pairs) call(value, name, this);
  }
  *entries(): Generator<Pair> {
    for (const [name, value] of this.#pairs) yield [name, value];
  }
  *keys(): Generator<string> {
    for (const pair of this.#pairs) yield pair[0];
  }
  *values(): Generator<string> {
    for (const pair of this.#pairs) yield pair[1];
  }
  [Symbol.iterator](): Generator<Pair> {
    return this.entries();
  }
  toString(): string {
    return formText(this.#pairs);
  }
}

function isPair(pair: Pair, name: unknown, value: unknown): boolean {
  return pair[0] === String(name) && (value === undefined || pair[1] === (value as string));
}

function pairsOf(init: unknown, parsed: (text: string) => Pair[]): Pair[] {
  if (typeof init !== "object" || init === null) return parsed(String(init));
  if (Symbol.iterator in init)
    return Array.from(init as Iterable<readonly unknown[]>, (pair): Pair => [String(pair[0]), String(pair[1])]);
  return Object.entries(init).map(([name, value]): Pair => [name, String(value)]);
}
