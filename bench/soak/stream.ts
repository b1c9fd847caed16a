/**
 * An endless stream for the soak: a workload's lines, lap after lap, with times that go on and names that are new. In
 * each lap every process, event and temporary file has another name, and one host in sixty-four is another host. Lines are
 * patched in place, since making them anew would cost more than judging them.
 */
import { takeWorkload, toNdjson } from '../workload.js';

export interface SoakStreamOptions {
  readonly seed: number;
  /** Hosts that are up at a time. */
  readonly hosts: number;
  /** Lines of a lap. */
  readonly lines: number;
  /** Bytes of a chunk, about. */
  readonly chunkBytes: number;
}

export interface SoakChunk {
  /** Whole lines; the next chunk may lie in the same bytes. */
  readonly bytes: Uint8Array;
  readonly events: number;
}

interface Line {
  readonly timeAt: number;
  readonly timeMs: number;
  /** Where names begin that are new in every lap, and those that are new when the host is. */
  readonly lapAt: readonly number[];
  readonly hostAt: readonly number[];
  /** Lap, modulo `hostLaps`, in which the line's host is replaced. */
  readonly hostPhase: number;
}

interface Template {
  readonly bytes: Uint8Array;
  readonly lines: readonly Line[];
}

const hostLaps = 64;
/** Digits of a lap's number in a name: enough for sixteen million laps. */
const nameDigits = 6;
/** Names are runs of hexadecimal digits; those of hosts and agents have this length. */
const hostNameLength = 32;
const names = /[0-9a-f]{10,}/g;
const time = /"@timestamp":"/;
const hexDigits = new TextEncoder().encode('0123456789abcdef');

/** Chunks for ever. */
export function* soakStream(options: SoakStreamOptions): Generator<SoakChunk, never> {
  const { templates, lapMs } = templatesOf(options);
  for (let lap = 0; ; lap++) {
    for (const template of templates) {
      for (const line of template.lines) patch(template.bytes, line, lap, lap * lapMs);
      yield { bytes: template.bytes, events: template.lines.length };
    }
  }
}

function templatesOf({ seed, hosts, lines, chunkBytes }: SoakStreamOptions) {
  const events = takeWorkload({ seed, hosts }, lines);
  const times = events.map((event) => Date.parse(event['@timestamp'] as string));
  const perChunk = Math.max(1, Math.round((lines * chunkBytes) / toNdjson(events).length));
  const templates: Template[] = [];
  for (let first = 0; first < lines; first += perChunk) {
    templates.push(templateOf(toNdjson(events.slice(first, first + perChunk)), times.slice(first, first + perChunk)));
  }
  return { templates, lapMs: (times.at(-1) ?? 0) - (times[0] ?? 0) + 20 };
}

/** Lines are of ASCII, so an index in the text is one in the bytes. */
function templateOf(bytes: Uint8Array, times: readonly number[]): Template {
  const text = new TextDecoder().decode(bytes);
  if (text.length !== bytes.length) throw new Error('soak: a line is not of ASCII');
  let start = 0;
  const lines = times.map((timeMs) => {
    const end = text.indexOf('\n', start) + 1;
    const line = text.slice(start, end);
    const found = [...line.matchAll(names)].map((match) => ({ at: start + match.index, text: match[0] }));
    const ofHost = found.filter((name) => name.text.length === hostNameLength);
    const timeAt = start + line.search(time) + '"@timestamp":"'.length;
    start = end;
    return {
      timeAt,
      timeMs,
      lapAt: found.filter((name) => name.text.length !== hostNameLength).map(({ at }) => at),
      hostAt: ofHost.map(({ at }) => at),
      hostPhase: Number.parseInt(ofHost[0]?.text.slice(-2) ?? '0', 16) % hostLaps,
    };
  });
  return { bytes, lines };
}

let knownSecond = Number.NaN;
let secondText = new Uint8Array(0);

function patch(bytes: Uint8Array, line: Line, lap: number, lapStartMs: number): void {
  const ms = line.timeMs + lapStartMs;
  const second = Math.floor(ms / 1000);
  if (second !== knownSecond) {
    knownSecond = second;
    secondText = new TextEncoder().encode(new Date(second * 1000).toISOString().slice(0, 20));
  }
  bytes.set(secondText, line.timeAt);
  writeNumber(bytes, line.timeAt + secondText.length, ms % 1000, 3, 10);
  for (const at of line.lapAt) writeNumber(bytes, at, lap, nameDigits, 16);
  const generation = Math.floor((lap + line.hostPhase) / hostLaps);
  for (const at of line.hostAt) writeNumber(bytes, at, generation, nameDigits, 16);
}

function writeNumber(bytes: Uint8Array, at: number, value: number, digits: number, base: number): void {
  for (let i = digits - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / base)) {
    bytes[at + i] = hexDigits[rest % base] as number;
  }
}
