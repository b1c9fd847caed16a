/** The kernel's host-callable functions. Nothing is implemented here. */
export function abiVersion(): u32 {
  return 1;
}
