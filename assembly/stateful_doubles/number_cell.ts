@external("env", "number_of")
export declare function numberOf(column: u32, slot: u32): f64;
