declare const brand: unique symbol;

/** A string that only its decoder mints, so that ids do not mix. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
