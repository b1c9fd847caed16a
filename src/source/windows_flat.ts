/** Windows events flattened to one level, as log shippers and public recordings write them. */
import { branch, number, type RecordSource, type SourceRecord, text } from './source.js';
import { mapWindowsEvent } from './windows_events.js';

/** Flattened by NXLog-like shippers: `EventID`, `SourceName` or `Channel`, `Hostname`, EventData members by name. */
export const windowsFlat: RecordSource = {
  kind: 'windows_flat',
  title: 'Windows events, flattened (EventID, SourceName, Hostname)',
  recognises: (record) =>
    number(record['EventID']) !== undefined && (text(record['SourceName']) ?? text(record['Channel'])) !== undefined,
  normalise: (record) => [
    mapWindowsEvent({
      kind: 'windows_flat',
      provider: text(record['SourceName']) ?? providerOfChannel(text(record['Channel']) ?? ''),
      eventId: number(record['EventID']) ?? 0,
      computer: text(record['Hostname']) ?? text(record['Computer']),
      time: text(record['TimeCreated']) ?? text(record['@timestamp']) ?? text(record['EventTime']),
      recordId: text(record['RecordNumber']) ?? text(record['EventRecordID']),
      platform: 'windows',
      data: record,
    }),
  ],
};

/** winlogbeat before ECS (6.x): `event_id`, `source_name`, `computer_name`, `event_data`. */
export const winlogbeatLegacy: RecordSource = {
  kind: 'winlogbeat_legacy',
  title: 'winlogbeat 6 (event_id, source_name, event_data)',
  recognises: (record) => number(record['event_id']) !== undefined && text(record['source_name']) !== undefined,
  normalise: (record) => [
    mapWindowsEvent({
      kind: 'winlogbeat_legacy',
      provider: text(record['source_name']) ?? '',
      eventId: number(record['event_id']) ?? 0,
      computer: text(record['computer_name']),
      time: text(record['@timestamp']),
      recordId: text(record['record_number']),
      platform: 'windows',
      data: branch(record, 'event_data'),
    }),
  ],
};

const channelProviders: Readonly<Record<string, string>> = {
  'microsoft-windows-sysmon/operational': 'Microsoft-Windows-Sysmon',
  security: 'Microsoft-Windows-Security-Auditing',
  system: 'Service Control Manager',
};

/** The provider that a channel's correlated events come from, for records that name only the channel. */
export function providerOfChannel(channel: string): string {
  return channelProviders[channel.toLowerCase()] ?? channel;
}

/** EventData as a flat map, whatever its JSON form: a map, `{ Data: [{ Name, Value }] }`, or named text nodes. */
export function eventDataMap(eventData: unknown): SourceRecord {
  const data = branch(eventData);
  const items = data['Data'];
  if (!Array.isArray(items)) return data;
  const map: Record<string, unknown> = {};
  for (const item of items) {
    const { Name, '@Name': atName, Value, '#text': content } = branch(item);
    const name = text(Name) ?? text(atName) ?? text(branch(item, '#attributes')['Name']);
    if (name !== undefined) map[name] = Value ?? content;
  }
  return map;
}
