/** Sysmon for Linux: the event's XML inside a syslog message or a Log Analytics row. */
import { type RecordSource, type SourceRecord, text } from './source.js';
import { mapWindowsEvent, type WindowsEvent } from './windows_events.js';

export const sysmonLinux: RecordSource = {
  kind: 'sysmon_linux',
  title: 'Sysmon for Linux (event XML in syslog)',
  recognises: (record) => message(record).includes('<Provider Name="Linux-Sysmon"'),
  normalise: (record) => {
    const event = parseEventXml(message(record), 'sysmon_linux', 'linux');
    return event === undefined ? [] : [mapWindowsEvent(event)];
  },
};

function message(record: SourceRecord): string {
  return text(record['SyslogMessage']) ?? text(record['message']) ?? '';
}

/**
 * Reads the flat XML of one event record. Only what the event schema allows is understood: elements of `System` and
 * `Data` elements with a `Name`. Undefined when there is no event id.
 */
export function parseEventXml(xml: string, kind: string, platform: WindowsEvent['platform']): WindowsEvent | undefined {
  const element = (name: string): string | undefined =>
    decodeEntities(new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`).exec(xml)?.[1]);
  const attribute = (name: string, key: string): string | undefined =>
    decodeEntities(new RegExp(`<${name} [^>]*\\b${key}="([^"]*)"`).exec(xml)?.[1]);
  const eventId = Number(element('EventID'));
  if (!Number.isInteger(eventId)) return undefined;
  const data: Record<string, string> = {};
  for (const [, name, value] of xml.matchAll(/<Data Name="([^"]*)">([^<]*)<\/Data>/g))
    if (name !== undefined && value !== undefined) data[name] = decodeEntities(value) as string;
  return {
    kind,
    platform,
    provider: attribute('Provider', 'Name') ?? '',
    eventId,
    computer: element('Computer'),
    time: attribute('TimeCreated', 'SystemTime'),
    recordId: element('EventRecordID'),
    data,
  };
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeEntities(value: string | undefined): string | undefined {
  return value?.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));/gi, (whole, decimal, hex, name) => {
    const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : undefined;
    if (code !== undefined) return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    return entities[name] ?? whole;
  });
}
