import { parseAddress } from '../rule/semantics.js';

const addressBits = 128;
const lastAddress = (1n << 128n) - 1n;
const firstV4 = 0xffff_0000_0000n;
const lastV4 = 0xffff_ffff_ffffn;

/**
 * The CIDR blocks that hold exactly the addresses below, above, or at one address; undefined when it is not an address.
 * IPv4 bounds span IPv4 addresses only, as Elasticsearch's documents hold them.
 */
export function addressRange(op: '<' | '<=' | '>' | '>=', text: string): string[] | undefined {
  const bound = parseAddress(text);
  if (bound === undefined) return undefined;
  const first = bound.isV4 ? firstV4 : 0n;
  const last = bound.isV4 ? lastV4 : lastAddress;
  const from = op === '>' ? bound.bits + 1n : op === '>=' ? bound.bits : first;
  const to = op === '<' ? bound.bits - 1n : op === '<=' ? bound.bits : last;
  return blocksBetween(from, to);
}

/** Splits a closed range into aligned blocks, largest first where they fit. */
function blocksBetween(from: bigint, to: bigint): string[] {
  const blocks: string[] = [];
  let at = from;
  while (at <= to) {
    let hostBits = 0;
    while (hostBits < addressBits && isAligned(at, hostBits + 1) && at + (1n << BigInt(hostBits + 1)) - 1n <= to)
      hostBits++;
    blocks.push(blockText(at, addressBits - hostBits));
    at += 1n << BigInt(hostBits);
  }
  return blocks;
}

function isAligned(at: bigint, hostBits: number): boolean {
  return (at & ((1n << BigInt(hostBits)) - 1n)) === 0n;
}

function blockText(bits: bigint, prefix: number): string {
  if (prefix >= 96 && bits >> 32n === 0xffffn) {
    const octets = [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn);
    return `${octets.join('.')}/${prefix - 96}`;
  }
  const groups = Array.from({ length: 8 }, (_, i) => ((bits >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  return `${groups.join(':')}/${prefix}`;
}
