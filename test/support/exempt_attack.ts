/** An attack of AN0173 that an approved exception covers. */

/** In seconds. */
export const day = 86_400;

/** Events of an interpreter that a terminal started, which connects out and installs an agent. `seconds` of 2026. */
export function attack(seconds: number, entity: string, script = '/Users/ada/tools/sync.py'): object[] {
  const event = (offset: number, category: string, type: string, action: string, fields: object) => ({
    '@timestamp': new Date(Date.UTC(2026, 0, 1) + (seconds + offset) * 1000).toISOString(),
    event: { category, type, action, id: `${entity}-${offset}` },
    host: { id: 'm1', os: { type: 'macos' } },
    user: { name: 'ada' },
    agent: { type: 'endpoint' },
    ...fields,
  });
  const process = (name: string, id: string, parent: string, args: string[]) => ({
    process: {
      name,
      executable: args[0],
      args,
      command_line: args.join(' '),
      entity_id: id,
      parent: { entity_id: parent },
    },
  });
  const python = ['/opt/homebrew/bin/python3', script];
  return [
    event(0, 'process', 'start', 'exec', process('zsh', `${entity}-sh`, 'terminal', ['/bin/zsh'])),
    event(1, 'process', 'start', 'exec', process('python3', entity, `${entity}-sh`, python)),
    event(5, 'network', 'start', 'connection_attempted', {
      ...process('python3', entity, `${entity}-sh`, python),
      destination: { ip: '203.0.113.9', port: 443 },
    }),
    event(9, 'file', 'creation', 'creation', {
      ...process('python3', entity, `${entity}-sh`, python),
      file: { path: '/Users/ada/Library/LaunchAgents/com.x.plist', name: 'com.x.plist', extension: 'plist' },
    }),
  ];
}

/** An exception to it, as an exception file writes it. */
export const exception = {
  id: 'X1',
  title: 'The sync tool of the design team',
  owner: 'design-team',
  approver: 'security',
  reason: 'The tool installs its own agent, as agreed in the review',
  created: '2026-01-01',
  expires: '2026-01-05',
  scope: { rules: ['AN0173'], hosts: ['m1'] },
  match: [
    { field: 'root.user', is: 'ada' },
    { field: 'script_id', matches: '*/tools/sync.py' },
  ],
  max_severity: 'critical',
};
