/** What predicates ask of the host, rarely: regular expressions and Unicode case folding. */

/** Whether regular expression `index` holds for a text: 0 no, 1 yes. */
@external("env", "host_call")
export declare function host_call(index: u32, pointer: usize, length: u32): u32;

/**
 * Writes a path in the form in which those of the platform compare, and returns its length in bytes: at most `capacity`.
 */
@external("env", "path_key")
export declare function path_key(pointer: usize, length: u32, target: usize, capacity: u32, platform: u32): u32;

/**
 * Writes the text, folded by Unicode simple case folding, and returns its length in bytes. At most `capacity` bytes are
 * written; a longer result is cut between code points.
 */
@external("env", "fold_text")
export declare function fold_text(pointer: usize, length: u32, target: usize, capacity: u32): u32;
