/**
 * The type of ECS fields where it matters: which are numbers. Any other field is text, whose values keep the JSON type
 * they came with.
 */

/** Fields that ECS and the endpoint's own schema type as numbers. */
const NUMBERS: ReadonlySet<string> = new Set([
  'client.bytes',
  'client.nat.port',
  'client.packets',
  'client.port',
  'destination.bytes',
  'destination.nat.port',
  'destination.packets',
  'destination.port',
  'dll.Ext.size',
  'event.duration',
  'event.risk_score',
  'event.risk_score_norm',
  'event.sequence',
  'event.severity',
  'file.Ext.entropy',
  'file.Ext.header_data_size',
  'file.size',
  'http.request.body.bytes',
  'http.request.bytes',
  'http.response.body.bytes',
  'http.response.bytes',
  'http.response.status_code',
  'log.syslog.priority',
  'network.bytes',
  'network.packets',
  'server.bytes',
  'server.nat.port',
  'server.packets',
  'server.port',
  'source.bytes',
  'source.nat.port',
  'source.packets',
  'source.port',
  'url.port',
]);

/** Prefixes under which ECS nests the process fields. */
const PROCESS = /^process(?:\.(?:parent|entry_leader|group_leader|session_leader|previous|target|Ext\.ancestor))*\./;
/** Numbers among the process fields, wherever they are nested. */
const PROCESS_NUMBERS: ReadonlySet<string> = new Set([
  'args_count',
  'exit_code',
  'pid',
  'pgid',
  'ppid',
  'thread.id',
  'uptime',
  'Ext.relative_file_creation_time',
  'Ext.relative_file_name_modify_time',
]);

/** True where ECS types the field as a number. */
export function isNumberField(name: string): boolean {
  const inProcess = name.replace(PROCESS, '');
  return NUMBERS.has(name) || (inProcess !== name && PROCESS_NUMBERS.has(inProcess));
}
