/** Recordings of attacks as one stream of several hosts, for laws of the engine. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { createSourceReader } from '../../src/source/reader.js';
import type { Source } from './generators.js';
import { sharedPath } from './shared.js';

const day = Date.UTC(2026, 0, 1);

/**
 * Processes of a host that a behaviour rule alerts on: a document starts Python, which runs PowerShell and connects out.
 * `startMs` after the recordings begin, half a second apart.
 */
export function pythonSession(host: string, startMs: number): Source[] {
  const processes = [
    {
      id: 'w',
      name: 'WINWORD.EXE',
      path: 'C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE',
      parent: undefined,
    },
    { id: 'p', name: 'python.exe', path: 'C:\\Users\\bob\\AppData\\Local\\Temp\\python.exe', parent: 'w' },
    {
      id: 's',
      name: 'powershell.exe',
      path: 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe',
      parent: 'p',
    },
    { id: 'n', name: 'whoami.exe', path: 'C:\\Windows\\System32\\whoami.exe', parent: 's' },
  ];
  const base = { 'host.id': host, 'host.name': host, 'host.os.type': 'windows', 'user.name': 'bob' };
  const of = ({ id, name, path }: (typeof processes)[number]) => ({
    'process.entity_id': `${host}-${id}`,
    'process.name': name,
    'process.executable': path,
    'process.command_line': `${path} -c x`,
    'process.args': [path, '-c', 'x'],
  });
  const starts = processes.map((one) => ({
    ...base,
    ...of(one),
    ...(one.parent === undefined ? {} : { 'process.parent.entity_id': `${host}-${one.parent}` }),
    'event.category': 'process',
    'event.type': 'start',
  }));
  const connect = {
    ...base,
    ...of(processes[1] as (typeof processes)[number]),
    'event.category': 'network',
    'event.type': 'start',
    'destination.ip': '203.0.113.7',
    'destination.port': 4444,
  };
  return [...starts, connect].map((event, index) => ({
    ...event,
    '@timestamp': new Date(day + startMs + index * 500).toISOString(),
  }));
}

/**
 * The first `limit` events of each recording, as if all had begun at the same time, on hosts of their own. In order of
 * time, every time and event id another, so that the order of arrival decides nothing. `others` are put among them.
 */
export function recordedEvents(recordings: readonly string[], limit: number, others: readonly Source[] = []): Source[] {
  const recorded = recordings.flatMap((recording, index) => {
    const all = linesOf(recording);
    const startMs = timeOf(all[0] as Source);
    return all.slice(0, limit).map((event) => ({
      event: { ...event, 'host.id': `${event['host.id']}-${index}`, 'host.name': `${event['host.name']}-${index}` },
      ms: day + timeOf(event) - startMs,
    }));
  });
  return [...recorded, ...others.map((event) => ({ event, ms: timeOf(event) }))]
    .sort((a, b) => a.ms - b.ms)
    .map(({ event, ms }, index) => {
      const us = Math.max(0, ms - day) * 1000 + index;
      const stamp = `${new Date(day + Math.floor(us / 1000)).toISOString().slice(0, 23)}${String(us % 1000).padStart(3, '0')}Z`;
      return { ...event, '@timestamp': stamp, 'event.id': `e${index}` };
    });
}

const timeOf = (event: Source): number => Date.parse(event['@timestamp'] as string);

function linesOf(recording: string): Source[] {
  const bytes = createSourceReader('auto').read(
    gunzipSync(readFileSync(sharedPath(`data/otrf/${recording}.ndjson.gz`))),
  );
  return new TextDecoder()
    .decode(bytes)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Source)
    .sort((a, b) => timeOf(a) - timeOf(b));
}
