/** CrowdStrike Falcon Data Replicator records: `event_simpleName` names the class, process ids are unique per agent. */
import { commandLineFields } from './arguments.js';
import {
  baseName,
  branch,
  type CanonicalEvent,
  canonicalEvent,
  type EventClass,
  fileFields,
  number,
  type RecordSource,
  type SourceRecord,
  text,
} from './source.js';

export const crowdstrike: RecordSource = {
  kind: 'crowdstrike_fdr',
  title: 'CrowdStrike Falcon Data Replicator',
  recognises: (record) =>
    simpleName(record) !== undefined && (record['aid'] ?? branch(record, 'event')['aid']) !== undefined,
  normalise: (record) => {
    const body = record['event_simpleName'] === undefined ? branch(record, 'event') : record;
    const name = simpleName(record) as string;
    const eventClass = classOf(name);
    return [
      canonicalEvent('crowdstrike_fdr', eventClass, {
        ...(eventClass === 'other' ? { 'event.action': name } : {}),
        '@timestamp': number(body['timestamp']) ?? text(body['timestamp']),
        'event.id': text(body['id']),
        'host.id': text(record['aid']) ?? text(body['aid']),
        'host.name': text(body['ComputerName']),
        'host.os.type': platforms[text(body['event_platform']) ?? ''],
        ...processFields(body, eventClass),
        ...objectFields(body),
      }),
    ];
  },
};

const platforms: Readonly<Record<string, string>> = { Mac: 'macos', Win: 'windows', Lin: 'linux' };

function simpleName(record: SourceRecord): string | undefined {
  return text(record['event_simpleName']) ?? text(branch(record, 'event')['event_simpleName']);
}

function classOf(name: string): EventClass {
  if (name === 'ProcessRollup2') return 'process_exec';
  if (name === 'SyntheticProcessRollup2') return 'process_snapshot';
  if (name === 'EndOfProcess') return 'process_exit';
  if (/^NetworkConnectIP[46]/.test(name)) return 'net_connect';
  if (/^NetworkReceiveAcceptIP[46]/.test(name)) return 'net_accept';
  if (name === 'DnsRequest') return 'dns_query';
  if (/FileWritten$|^NewExecutableWritten|^NewScriptWritten/.test(name)) return 'file_write';
  if (/^FileRename|^NewExecutableRenamed/.test(name)) return 'file_rename';
  if (/Delete/.test(name)) return 'file_delete';
  if (/^(AsepValueUpdate|RegSystemConfigValueUpdate|RegGenericValueUpdate)/.test(name)) return 'registry_set';
  if (/^(ServiceStarted|ScheduledTaskRegistered|CreateService)/.test(name)) return 'persistence_item';
  return name === 'ClassifiedModuleLoad' || name === 'ImageHash' ? 'module_load' : 'other';
}

function processFields(body: SourceRecord, eventClass: EventClass): CanonicalEvent {
  const isProcess = eventClass.startsWith('process_');
  const executable = isProcess ? text(body['ImageFileName']) : undefined;
  return {
    'process.entity_id': isProcess
      ? text(body['TargetProcessId'])
      : (text(body['ContextProcessId']) ?? text(body['TargetProcessId'])),
    'process.pid': number(body['RawProcessId']),
    'process.start': number(body['ProcessStartTime']),
    'process.executable': executable,
    'process.name': baseName(executable) ?? text(body['ContextBaseFileName']),
    ...commandLineFields(text(body['CommandLine']), body['event_platform'] === 'Win'),
    'process.hash.sha256': text(body['SHA256HashData']),
    'process.code_signature.signing_id': text(body['SigningId']),
    'process.parent.entity_id': text(body['ParentProcessId']),
    'process.parent.name': text(body['ParentBaseFileName']),
    'user.id': text(body['UserSid']) ?? text(body['UID']),
    'user.name': text(body['UserName']),
  };
}

function objectFields(body: SourceRecord): CanonicalEvent {
  const path = text(body['TargetFileName']);
  return {
    ...fileFields(path),
    'destination.ip': text(body['RemoteAddressIP4']) ?? text(body['RemoteAddressIP6']),
    'destination.port': number(body['RemotePort']),
    'dns.question.name': text(body['DomainName'])?.toLowerCase(),
    'registry.path': text(body['RegObjectName']),
    'registry.value': text(body['RegValueName']),
  };
}
