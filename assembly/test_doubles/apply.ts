@external("env", "apply_chunk")
export declare function applyChunk(n: u32): void;
