@external("env", "mark_values")
export declare function lineageMarkValues(): void;
