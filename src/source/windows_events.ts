/**
 * Windows event records, whatever carried them: Sysmon (also for Linux), Security, System and others, by provider and
 * event id. The carriers (`windows_flat.ts`, `evtx_json.ts`, `winlogbeat.ts`, `sysmon_linux.ts`) unwrap; this maps.
 */
import { commandLineFields } from './arguments.js';
import {
  baseName,
  type CanonicalEvent,
  canonicalEvent,
  type EventClass,
  fileFields,
  number,
  type SourceRecord,
  text,
} from './source.js';

/** One unwrapped Windows event. `data` holds the EventData members by name. */
export interface WindowsEvent {
  readonly kind: string;
  readonly provider: string;
  readonly eventId: number;
  readonly computer: string | undefined;
  readonly time: string | undefined;
  readonly recordId: string | undefined;
  readonly platform: 'windows' | 'linux';
  readonly data: SourceRecord;
}

type Mapping = (event: WindowsEvent) => readonly [EventClass, CanonicalEvent];

/** The canonical event of a Windows event; class `other` where no analytic reads its kind. */
export function mapWindowsEvent(event: WindowsEvent): CanonicalEvent {
  const provider = providerFamily(event.provider);
  const mapping = provider === undefined ? undefined : mappings[provider][event.eventId];
  const [eventClass, fields] = mapping?.(event) ?? ['other', { 'event.action': `${event.provider}:${event.eventId}` }];
  const common = {
    '@timestamp': provider === 'sysmon' ? sysmonTime(event) : event.time,
    'event.code': String(event.eventId),
    'event.provider': event.provider,
    'event.id':
      event.recordId === undefined ? undefined : `${event.computer ?? ''}:${event.provider}:${event.recordId}`,
    'event.sequence': number(event.recordId),
    'host.name': event.computer,
    'host.id': event.computer?.toLowerCase(),
    'host.os.type': event.platform,
  };
  return canonicalEvent(event.kind, eventClass, { ...common, ...fields });
}

type Family = 'sysmon' | 'security' | 'system';

function providerFamily(provider: string): Family | undefined {
  if (provider === 'Microsoft-Windows-Sysmon' || provider === 'Linux-Sysmon') return 'sysmon';
  if (provider === 'Microsoft-Windows-Security-Auditing') return 'security';
  if (provider === 'Service Control Manager') return 'system';
  return undefined;
}

/** Times of one record that differ by more are not of one clock. */
const clockDifferenceMs = 5 * 60_000;

/**
 * Sysmon's `UtcTime` ("YYYY-MM-DD hh:mm:ss.mmm") is when the event happened, the record's time when it was written. A
 * shipper that rewrote the record's zone makes them differ by hours; then the record's keeps providers comparable.
 */
function sysmonTime({ data, time }: WindowsEvent): string | undefined {
  const value = text(data['UtcTime']);
  if (value === undefined || value === '-') return time;
  const own = `${value.replace(' ', 'T')}Z`;
  const differenceMs = time === undefined ? 0 : Math.abs(Date.parse(own) - Date.parse(time));
  return differenceMs > clockDifferenceMs ? time : own;
}

/** Braces and case of GUIDs vary between carriers; an all-zero GUID means "unknown". */
function guid(value: unknown): string | undefined {
  const bare = text(value)?.replace(/[{}]/g, '').toLowerCase();
  return bare === undefined || /^[0-]*$/.test(bare) ? undefined : bare;
}

/** Unifies the spellings of registry roots: `HKLM`, `HKU`, `HKCR`. */
function registryPath(value: unknown): string | undefined {
  return text(value)
    ?.replace(/^\\REGISTRY\\MACHINE\\/i, 'HKLM\\')
    .replace(/^\\REGISTRY\\USER\\/i, 'HKU\\')
    .replace(/^HKEY_LOCAL_MACHINE\\/i, 'HKLM\\')
    .replace(/^HKEY_USERS\\/i, 'HKU\\');
}

function splitUser(value: unknown): CanonicalEvent {
  const whole = text(value);
  const slash = whole?.indexOf('\\') ?? -1;
  if (whole === undefined || whole === '-') return {};
  return slash < 0
    ? { 'user.name': whole }
    : { 'user.domain': whole.slice(0, slash), 'user.name': whole.slice(slash + 1) };
}

function subject(event: WindowsEvent, image: string = 'Image', id: string = 'Process'): CanonicalEvent {
  const { data } = event;
  const executable = text(data[image]);
  return {
    'process.entity_id': guid(data[`${id}Guid`] ?? data[`${id}GUID`]),
    'process.pid': number(data[`${id}Id`] ?? data[`${id}ID`]),
    'process.executable': executable,
    'process.name': baseName(executable),
    ...splitUser(data['User'] ?? data[`${id.replace('Process', '')}User`]),
  };
}

function hashes(value: unknown): CanonicalEvent {
  const fields: CanonicalEvent = {};
  for (const part of text(value)?.split(',') ?? []) {
    const [algorithm, digest] = part.split('=');
    if (algorithm !== undefined && digest !== undefined && /^(MD5|SHA1|SHA256)$/.test(algorithm))
      fields[`process.hash.${algorithm.toLowerCase()}`] = digest.toLowerCase();
  }
  return fields;
}

function sysmonProcess(event: WindowsEvent): readonly [EventClass, CanonicalEvent] {
  const { data } = event;
  const parent = text(data['ParentImage']);
  return [
    'process_exec',
    {
      ...subject(event),
      ...commandLineFields(text(data['CommandLine']), event.platform === 'windows'),
      ...hashes(data['Hashes']),
      'event.action': event.platform === 'windows' ? 'start' : 'exec',
      'process.working_directory': text(data['CurrentDirectory']),
      'process.pe.original_file_name': text(data['OriginalFileName']),
      'process.pe.product': text(data['Product']),
      'process.pe.company': text(data['Company']),
      'process.parent.entity_id': guid(data['ParentProcessGuid'] ?? data['ParentProcessGUID']),
      'process.parent.pid': number(data['ParentProcessId'] ?? data['ParentProcessID']),
      'process.parent.executable': parent,
      'process.parent.name': baseName(parent),
      'process.parent.command_line': text(data['ParentCommandLine']),
    },
  ];
}

function sysmonNetwork(event: WindowsEvent): readonly [EventClass, CanonicalEvent] {
  const { data } = event;
  const isOutbound = text(data['Initiated'])?.toLowerCase() === 'true';
  return [
    isOutbound ? 'net_connect' : 'net_accept',
    {
      ...subject(event),
      'network.direction': isOutbound ? 'egress' : 'ingress',
      'network.transport': text(data['Protocol'])?.toLowerCase(),
      'source.ip': text(data['SourceIp']),
      'source.port': number(data['SourcePort']),
      'destination.ip': text(data['DestinationIp']),
      'destination.port': number(data['DestinationPort']),
      'destination.domain': dashless(data['DestinationHostname']),
    },
  ];
}

function dashless(value: unknown): string | undefined {
  const whole = text(value);
  return whole === '-' ? undefined : whole;
}

function sysmonRegistry(event: WindowsEvent): readonly [EventClass, CanonicalEvent] {
  const path = registryPath(event.data['TargetObject']);
  return [
    'registry_set',
    {
      ...subject(event),
      'registry.path': path,
      'registry.value': baseName(path),
      'registry.data.strings': dashless(event.data['Details']),
    },
  ];
}

function sysmonTarget(action: string): Mapping {
  return (event) => {
    const target = text(event.data['TargetImage']);
    return [
      'proc_access',
      {
        ...subject(event, 'SourceImage', 'SourceProcess'),
        'event.action': action,
        'Target.process.entity_id': guid(event.data['TargetProcessGuid'] ?? event.data['TargetProcessGUID']),
        'Target.process.pid': number(event.data['TargetProcessId']),
        'Target.process.executable': target,
        'Target.process.name': baseName(target),
        'x.access.granted': text(event.data['GrantedAccess']),
      },
    ];
  };
}

const sysmon: Readonly<Record<number, Mapping>> = {
  1: sysmonProcess,
  3: sysmonNetwork,
  5: (event) => ['process_exit', subject(event)],
  7: (event) => [
    'module_load',
    {
      ...subject(event),
      'dll.path': text(event.data['ImageLoaded']),
      'dll.name': baseName(text(event.data['ImageLoaded'])),
    },
  ],
  8: sysmonTarget('remote_thread'),
  10: sysmonTarget('process_access'),
  11: (event) => [
    'file_write',
    {
      ...subject(event),
      ...fileFields(text(event.data['TargetFilename'])),
      'event.type': 'creation',
      'event.action': 'creation',
      'x.file.op': 'create',
    },
  ],
  13: sysmonRegistry,
  14: sysmonRegistry,
  22: (event) => [
    'dns_query',
    { ...subject(event), 'dns.question.name': text(event.data['QueryName'])?.toLowerCase().replace(/\.$/, '') },
  ],
  23: (event) => ['file_delete', { ...subject(event), ...fileFields(text(event.data['TargetFilename'])) }],
  26: (event) => ['file_delete', { ...subject(event), ...fileFields(text(event.data['TargetFilename'])) }],
};

function securityProcess(event: WindowsEvent): readonly [EventClass, CanonicalEvent] {
  const { data } = event;
  const executable = text(data['NewProcessName']);
  const parent = text(data['ParentProcessName']);
  return [
    'process_exec',
    {
      'event.action': 'start',
      'process.pid': number(data['NewProcessId']),
      'process.executable': executable,
      'process.name': baseName(executable),
      ...commandLineFields(text(data['CommandLine']), true),
      'process.parent.pid': number(data['ProcessId'] ?? data['CreatorProcessId']),
      'process.parent.executable': parent,
      'process.parent.name': baseName(parent),
      'user.name': text(data['SubjectUserName']),
      'user.domain': text(data['SubjectDomainName']),
      'user.id': text(data['SubjectUserSid']),
    },
  ];
}

function securitySubject({ data }: WindowsEvent): CanonicalEvent {
  const executable = text(data['ProcessName']);
  return {
    'process.pid': number(data['ProcessId']),
    'process.executable': executable,
    'process.name': baseName(executable),
    'user.name': text(data['SubjectUserName']),
    'user.domain': text(data['SubjectDomainName']),
    'user.id': text(data['SubjectUserSid']),
  };
}

function securityLogon({ data }: WindowsEvent): readonly [EventClass, CanonicalEvent] {
  return [
    'auth_login',
    {
      'event.outcome': 'success',
      'user.name': text(data['TargetUserName']),
      'user.domain': text(data['TargetDomainName']),
      'user.id': text(data['TargetUserSid']),
      'source.ip': dashless(data['IpAddress']),
      'x.auth.method': text(data['LogonType']),
    },
  ];
}

const security: Readonly<Record<number, Mapping>> = {
  4624: securityLogon,
  4657: (event) => [
    'registry_set',
    {
      ...securitySubject(event),
      'registry.path': [registryPath(event.data['ObjectName']), text(event.data['ObjectValueName'])]
        .filter(Boolean)
        .join('\\'),
      'registry.value': text(event.data['ObjectValueName']),
      'registry.data.strings': text(event.data['NewValue']),
    },
  ],
  4688: securityProcess,
  4689: (event) => ['process_exit', securitySubject(event)],
  4697: (event) => [
    'persistence_item',
    { ...securitySubject(event), ...persistence('service', event.data['ServiceName'], event.data['ServiceFileName']) },
  ],
  4698: (event) => [
    'persistence_item',
    { ...securitySubject(event), ...persistence('scheduled_task', event.data['TaskName'], event.data['TaskContent']) },
  ],
  5156: (event) => {
    const executable = text(event.data['Application']);
    const isOutbound = text(event.data['Direction']) === '%%14593';
    return [
      isOutbound ? 'net_connect' : 'net_accept',
      {
        'process.pid': number(event.data['ProcessID'] ?? event.data['ProcessId']),
        'process.executable': executable,
        'process.name': baseName(executable),
        'network.direction': isOutbound ? 'egress' : 'ingress',
        'source.ip': text(event.data['SourceAddress']),
        'source.port': number(event.data['SourcePort']),
        'destination.ip': text(event.data['DestAddress']),
        'destination.port': number(event.data['DestPort']),
      },
    ];
  },
};

function persistence(kind: string, name: unknown, program: unknown): CanonicalEvent {
  return {
    'event.action': kind === 'service' ? 'service-installed' : 'scheduled-task-created',
    'x.persistence.kind': kind,
    'Persistence.name': text(name),
    'Persistence.path': text(name),
    'Persistence.executable': text(program),
  };
}

const system: Readonly<Record<number, Mapping>> = {
  7045: (event) => ['persistence_item', persistence('service', event.data['ServiceName'], event.data['ImagePath'])],
};

const mappings: Readonly<Record<Family, Readonly<Record<number, Mapping>>>> = { sysmon, security, system };
