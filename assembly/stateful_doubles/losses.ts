@external("env", "count_loss")
export declare function countLoss(reason: u32, rule: u32, host: u32, n: u32): void;
