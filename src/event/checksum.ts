/** Continues an FNV-1a checksum (32 bits) over `bytes`; start with {@link checksumStart}. */
export function checksum(start: number, bytes: Uint8Array): number {
  let hash = start;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash >>> 0;
}

export const checksumStart = 0x811c9dc5;
