let count: u32 = 2;
let retained: i32 = 0;

export function setHostCount(hosts: u32): void {
  count = hosts;
}

export function hostCount(): u32 {
  return count;
}

export function hostHash(host: u32): u64 {
  return u64(host + 1) * 0x9e3779b97f4a7c15;
}

export function hostSerial(host: u32): u32 {
  return host;
}

export function hostRetain(_host: u32): void {
  retained++;
}

export function hostRelease(_host: u32): void {
  retained--;
}

export function hostsRetained(): i32 {
  return retained;
}
