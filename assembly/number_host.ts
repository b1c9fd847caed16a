/**
 * The two conversions that JavaScript does exactly and that are rare enough to ask it for: numbers of more digits than
 * an exact product can take, and the text of numbers that are not whole.
 */

/** The double nearest to the JSON number text. */
@external("env", "number_parse")
export declare function number_parse(pointer: usize, length: u32): f64;

/** Writes the text of `value` as JavaScript prints it (at most 32 ASCII bytes) and returns its length. */
@external("env", "number_format")
export declare function number_format(value: f64, target: usize): u32;
