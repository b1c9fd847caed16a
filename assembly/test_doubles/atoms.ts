export function atomsClassify(column: u32, tag: u32, pointer: usize, length: u32, number: f64): u32 {
  return length == 0 ? 0 : 1 << (load<u8>(pointer) & 31);
}
