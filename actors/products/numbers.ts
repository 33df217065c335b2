/**
 * Owns how numbers stand in the text products: what can't be known is an empty field, places and times keep
 * every digit of a double. Must not know: which columns there are.
 */

/** All digits that tell a double from its neighbours; empty for what is not finite. */
export function exact(value: number): string {
  return Number.isFinite(value) ? String(value) : '';
}

/** Digits of a measured quantity: those of a 32-bit float, beyond any error of measurement. */
export function measured(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(8))) : '';
}
