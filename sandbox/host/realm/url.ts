import { type HostCall, textOf } from "./host-call.ts";
import type { SearchParams, SearchParamsClass } from "./search-params.ts";

const members = ["protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"] as const;
type Parts = Record<(typeof members)[number] | "href" | "origin", string>;

/** URL over the host's own parser: strings in, the components as JSON text out. */
export function urlClass(host: HostCall, Params: SearchParamsClass): unknown {
  const parse = (input: unknown, base: unknown): Parts | null => {
    const request = JSON.stringify([String(input), base === undefined ? null : (base as string)]);
    const text = textOf(host("urlParse", request));
    return text === "" ? null : (JSON.parse(text) as Parts);
  };

  class URL {
    #parts: Parts;
    #params: SearchParams | null = null;

    constructor(input: unknown, base?: unknown) {
      const parts = parse(input, base);
      if (parts === null) throw Object.assign(new TypeError("Invalid URL"), { code: "ERR_INVALID_URL" });
      this.#parts = parts;
    }
    static canParse(input: unknown, base?: unknown): boolean {
      return parse(input, base) !== null;
    }
    get origin(): string {
      return this.#parts.origin;
    }
    get href(): string {
      return this.#parts.href;
    }
    set href(value: unknown) {
      const parts = parse(value, undefined);
      if (parts === null) throw new TypeError("Invalid URL");
      this.#parts = parts;
      this.#params = null;
    }
    get searchParams(): SearchParams {
      this.#params ??= new Params(this.#parts.search, (text) => this.assign("search", text));
      return this.#params;
    }
    /** @internal Sets one component by the host's rules; an impossible value leaves it as it was. */
    assign(member: string, value: unknown): void {
      const text = textOf(host("urlAssign", JSON.stringify([this.#parts.href, member, String(value)])));
      if (text !== "") this.#parts = JSON.parse(text) as Parts;
    }
    part(member: keyof Parts): string {
      return this.#parts[member];
    }
    toString(): string {
      return this.#parts.href;
    }
    toJSON(): string {
      return this.#parts.href;
    }
  }
  for (const member of members) defineMember(URL.prototype, member);
  return URL;
}

function defineMember(prototype: object, member: (typeof members)[number]): void {
  Object.defineProperty(prototype, member, {
    configurable: true,
    enumerable: true,
    get(this: { part(name: string): string }): string {
      return this.part(member);
    },
    set(this: { assign(name: string, value: unknown): void }, value: unknown) {
      this.assign(member, value);
    },
  });
}
