/** Windows event log records converted from EVTX to JSON: `{ Event: { System, EventData | UserData } }`. */
import { branch, number, type RecordSource, type SourceRecord, text } from './source.js';
import { mapWindowsEvent } from './windows_events.js';
import { eventDataMap, providerOfChannel } from './windows_flat.js';

export const evtxJson: RecordSource = {
  kind: 'evtx_json',
  title: 'Windows event log as JSON (Event.System, Event.EventData)',
  recognises: (record) => branch(record, 'Event', 'System')['EventID'] !== undefined,
  normalise: (record) => {
    const system = branch(record, 'Event', 'System');
    const provider = branch(system, 'Provider');
    const time = branch(system, 'TimeCreated');
    return [
      mapWindowsEvent({
        kind: 'evtx_json',
        provider:
          text(branch(provider, '#attributes')['Name']) ??
          text(provider['Name']) ??
          text(provider['@Name']) ??
          providerOfChannel(text(system['Channel']) ?? ''),
        eventId: number(system['EventID']) ?? number(branch(system, 'EventID')['#text']) ?? 0,
        computer: text(system['Computer']),
        time: text(branch(time, '#attributes')['SystemTime']) ?? text(time['SystemTime']) ?? text(time['@SystemTime']),
        recordId: text(system['EventRecordID']),
        platform: 'windows',
        data: payload(branch(record, 'Event')),
      }),
    ];
  },
};

/** EventData, or the single wrapper object that UserData holds. */
function payload(event: SourceRecord): SourceRecord {
  if (event['EventData'] !== undefined) return eventDataMap(event['EventData']);
  const wrappers = Object.entries(branch(event, 'UserData')).filter(([name]) => !name.startsWith('#'));
  return wrappers.length === 1 ? branch(wrappers[0]?.[1]) : {};
}
