@external("env", "host_intern")
export declare function hostIntern(hash: u64, pointer: usize, length: u32): u32;
