/** Witnesses built in code, for tests of the judge alone. */
import type { ProcessNode, Witness } from '../../src/correlator/behavior/witness.js';

const startUs = 1_772_442_000_000_000;

/** One process of a chain; its link to the next is an entity id unless it is the last. */
export function node(identity: string, words: readonly string[], more: Partial<ProcessNode> = {}): ProcessNode {
  const [executable = ''] = words;
  return {
    identity,
    weak: false,
    images: [
      {
        timeUs: startUs,
        executable,
        name: executable.split('/').at(-1) ?? '',
        args: words,
        commandLine: words.join(' '),
        user: 'alice',
      },
    ],
    marks: [],
    link: 'entity',
    implicit: false,
    exited: false,
    ...more,
  };
}

export const terminal = node('e8', ['/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal'], {
  link: 'none',
});

/** An interpreter started in a terminal. */
export function interpreter(identity: string, args: readonly string[] = ['/Users/alice/proj/x.py']): ProcessNode {
  return node(identity, ['/opt/homebrew/bin/python3', ...args], { marks: ['python'] });
}

export interface WitnessParts {
  readonly item: string;
  /** Seconds from the start. */
  readonly at: number;
  readonly fields?: Witness['fields'];
  readonly chain?: readonly ProcessNode[];
  readonly host?: string;
  readonly id?: string;
  readonly late?: boolean;
}

let ordinal = 0;

export function witness(parts: WitnessParts): Witness {
  const timeUs = startUs + Math.round(parts.at * 1e6);
  return {
    itemId: parts.item,
    timeUs,
    ordinal: ordinal++,
    eventId: parts.id ?? `${parts.item}@${parts.at}`,
    host: { id: parts.host ?? 'h1' },
    fields: { 'event.module': 'endpoint', ...parts.fields },
    chain: parts.chain ?? [interpreter('e20'), terminal],
    chainTruncated: false,
    late: parts.late ?? false,
  };
}

export const connect = (at: number, address: string, port: number, more: Partial<WitnessParts> = {}): Witness =>
  witness({
    item: 'connection',
    at,
    fields: { 'destination.ip': address, 'destination.port': port, 'destination.domain': `${address}.example.net` },
    ...more,
  });

export const write = (at: number, path: string, more: Partial<WitnessParts> = {}): Witness =>
  witness({ item: 'file_write', at, fields: { 'file.path': path }, ...more });

export const run = (at: number, words: readonly string[], more: Partial<WitnessParts> = {}): Witness =>
  witness({
    item: 'command',
    at,
    fields: { 'process.executable': words[0] ?? '', 'process.args': words },
    chain: [node(`c${at}`, words), interpreter('e20'), terminal],
    ...more,
  });
