/** A day on a Windows workstation: development in a virtual environment, and a document with a macro among it. */
import { EndpointHost } from './endpoint.js';
import { dayMs } from './macos.js';
import { Random } from './random.js';

const at = (hour: number, minute: number, second = 0): number => dayMs + ((hour * 60 + minute) * 60 + second) * 1000;
const installed = 'C:\\Users\\dana\\AppData\\Local\\Programs\\Python\\Python312\\python.exe';

export function windowsDay(seed: number): readonly EndpointHost[] {
  const random = new Random(seed);
  const host = new EndpointHost(
    {
      id: 'c1f0b7e4-0005-4c60-9a55-0a1b2c3d4e05',
      name: 'WS-DANA',
      platform: 'windows',
      osName: 'Windows',
      osVersion: '11 (24H2)',
      ip: '10.20.5.31',
      agentId: 'c25f3c9a-0005-4c60-9a55-0a1b2c3d4e05',
    },
    random,
  );
  const explorer = host.spawn(at(8, 0), undefined, ['C:\\Windows\\explorer.exe'], { user: 'dana' });
  office(host, random, explorer);

  const terminal = host.spawn(at(9, 0), explorer, [
    'C:\\Program Files\\WindowsApps\\Microsoft.WindowsTerminal\\WindowsTerminal.exe',
  ]);
  const shell = host.spawn(at(9, 0, 2), terminal, ['C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe']);
  const launcher = host.spawn(at(9, 1), shell, ['C:\\Windows\\py.exe', '-m', 'pip', 'install', 'x']);
  const redirector = host.spawn(at(9, 1, 0) + 60, launcher, [
    'C:\\src\\venv\\Scripts\\python.exe',
    '-m',
    'pip',
    'install',
    'x',
  ]);
  const pip = host.spawn(at(9, 1, 0) + 120, redirector, [installed, '-m', 'pip', 'install', 'x'], {
    signer: 'Python Software Foundation',
    originalFileName: 'python.exe',
  });
  host.visit(at(9, 1, 2), pip, 'files.pythonhosted.org', '151.101.64.223');
  host.spawn(at(9, 1, 3), pip, ['C:\\Windows\\System32\\cmd.exe', '/c', 'ver']);
  for (let i = 0; i < 20; i++) {
    const timeMs = at(9, 10) + i * 900_000;
    const tests = host.spawn(timeMs, shell, [installed, '-m', 'pytest'], {
      signer: 'Python Software Foundation',
      originalFileName: 'python.exe',
      cwd: 'C:\\src',
    });
    host.file(timeMs + 900, tests, `C:\\src\\.pytest_cache\\v\\cache\\run-${i}`);
    host.end(timeMs + 6_000, tests);
  }
  attackMacro(host, explorer);
  return [host];
}

type Spawned = ReturnType<EndpointHost['spawn']>;

function office(host: EndpointHost, random: Random, explorer: Spawned): void {
  const apps = ['msedge.exe', 'OUTLOOK.EXE', 'Teams.exe'].map((name, i) =>
    host.spawn(at(8, 1 + i), explorer, [`C:\\Program Files\\Vendor\\${name}`]),
  );
  for (let i = 0; i < 90; i++) {
    const app = random.pick(apps);
    const timeMs = at(8, 10) + random.between(0, 9 * 3_600_000);
    if (random.next() < 0.7)
      host.visit(timeMs, app, random.pick(['www.example.com', 'teams.example.com']), '198.51.100.40');
    else host.file(timeMs, app, `C:\\Users\\dana\\AppData\\Local\\Vendor\\Cache\\${random.hex(16)}`);
  }
}

/** A macro drops an interpreter, runs inline code, and hands over to PowerShell. */
function attackMacro(host: EndpointHost, explorer: Spawned): void {
  const word = host.spawn(at(11, 20), explorer, [
    'C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE',
    '/n',
    'C:\\Users\\dana\\Downloads\\offer.docm',
  ]);
  const shell = host.spawn(at(11, 20, 9), word, [
    'C:\\Windows\\System32\\cmd.exe',
    '/c',
    'C:\\Users\\dana\\AppData\\Local\\Temp\\py\\python.exe -c ...',
  ]);
  const root = host.spawn(at(11, 20, 9) + 90, shell, [
    'C:\\Users\\dana\\AppData\\Local\\Temp\\py\\python.exe',
    '-c',
    'import base64;exec(base64.b64decode("aW1wb3J0IG9z"))',
  ]);
  const powershell = host.spawn(at(11, 20, 12), root, [
    'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe',
    '-enc',
    'SQBFAFgA',
  ]);
  host.connect(at(11, 20, 13), powershell, '203.0.113.77', 443);
  host.registry(
    at(11, 20, 15),
    root,
    'HKEY_USERS\\S-1-5-21-1-2-3-1001\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\Updater',
    'C:\\Users\\dana\\AppData\\Local\\Temp\\py\\python.exe',
  );
}
