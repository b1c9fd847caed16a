/**
 * winlogbeat 7 and later: `winlog.*` beside ECS fields. EventData decides; ECS fields that the beat filled in are kept
 * where the mapping gives none. `user.id` of Sysmon events is the service's own account and is dropped.
 */
import { branch, type CanonicalEvent, number, type RecordSource, type SourceRecord, text } from './source.js';
import { mapWindowsEvent } from './windows_events.js';

export const winlogbeat: RecordSource = {
  kind: 'winlogbeat',
  title: 'winlogbeat and the Elastic Windows integration (winlog.*)',
  recognises: (record) => text(winlog(record, 'provider_name')) !== undefined,
  normalise: (record) => {
    const event = mapWindowsEvent({
      kind: 'winlogbeat',
      provider: text(winlog(record, 'provider_name')) ?? '',
      eventId: number(winlog(record, 'event_id')) ?? number(branch(record, 'event')['code']) ?? 0,
      computer: text(winlog(record, 'computer_name')) ?? text(branch(record, 'host')['name']),
      time: text(record['@timestamp']),
      recordId: text(winlog(record, 'record_id')),
      platform: 'windows',
      data: branch(record, 'winlog', 'event_data'),
    });
    return [{ ...hostFields(record), ...event }];
  },
};

function winlog(record: SourceRecord, name: string): unknown {
  return branch(record, 'winlog')[name] ?? record[`winlog.${name}`];
}

function hostFields(record: SourceRecord): CanonicalEvent {
  const host = branch(record, 'host');
  const id = text(host['id']);
  return id === undefined ? {} : { 'host.id': id };
}
