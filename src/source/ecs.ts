/**
 * Documents that are ECS already: Elastic Defend, auditbeat, Sysmon and Jamf Protect integrations. They pass as they
 * are; what a producer leaves out or names otherwise is added, never replaced.
 */
import { branch, type CanonicalEvent, type RecordSource, type SourceRecord, text } from './source.js';

export const ecs: RecordSource = {
  kind: 'ecs',
  title: 'ECS documents (Elastic Defend, auditbeat, Jamf Protect, Elastic integrations)',
  recognises: (record) =>
    isEcsEvent(branch(record, 'event')) ||
    typeof record['event.category'] === 'string' ||
    Array.isArray(record['event.category']) ||
    typeof record['event.action'] === 'string',
  normalise: (record) => [{ ...record, ...additions(record) }],
};

function isEcsEvent(event: SourceRecord): boolean {
  return ['category', 'action', 'kind', 'dataset'].some(
    (name) => typeof event[name] === 'string' || Array.isArray(event[name]),
  );
}

/**
 * True when a line is certainly an ECS document that needs no addition, told from its bytes: only then may it pass
 * without being parsed.
 */
export function isPlainEcsLine(line: Uint8Array, find: (line: Uint8Array, text: string) => boolean): boolean {
  return (
    find(line, '"@timestamp"') &&
    (find(line, '"event":{') || find(line, '"event.category"') || find(line, '"event.action"')) &&
    !find(line, '"_source":') &&
    !find(line, '"document":') &&
    !find(line, '"winlog"') &&
    !find(line, '"jamf_protect"') &&
    !find(line, '"EventID"')
  );
}

function additions(record: SourceRecord): CanonicalEvent {
  const event = branch(record, 'event');
  const added: CanonicalEvent = {};
  if (record['@timestamp'] === undefined) {
    const time = text(event['start']) ?? text(event['created']) ?? text(event['ingested']);
    if (time !== undefined) added['@timestamp'] = time;
  }
  if (event['action'] === 'btm_launch_item_add')
    Object.assign(added, jamfLaunchItem(branch(record, 'jamf_protect', 'telemetry')));
  return added;
}

/** Jamf Protect's launch items, under the names that Elastic Defend uses for its own. */
function jamfLaunchItem(telemetry: SourceRecord): CanonicalEvent {
  const url = text(telemetry['btm_item_url']);
  const path = url?.replace(/^file:\/\/(localhost)?/, '');
  return {
    'event.class': 'persistence_item',
    ...(path === undefined ? {} : { 'Persistence.path': path, 'file.path': path }),
    ...(telemetry['btm_executable_path'] === undefined
      ? {}
      : { 'Persistence.executable': telemetry['btm_executable_path'] }),
    ...(telemetry['btm_item_type'] === undefined
      ? {}
      : { 'x.persistence.kind': String(telemetry['btm_item_type']).toLowerCase() }),
  };
}
