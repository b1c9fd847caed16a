/** A developer's day on any platform: tests, packages, services, notebooks, cloud tools, an editor's helpers. */
import type { Process } from '../generator/endpoint.js';
import type { Day } from './day.js';

const projects = ['billing', 'ledger', 'search', 'gateway', 'reports', 'forecast'];
const apis: readonly (readonly [string, string])[] = [
  ['api.stripe.com', '198.51.100.101'],
  ['api.openai.com', '198.51.100.102'],
  ['slack.com', '198.51.100.103'],
  ['sentry.io', '198.51.100.104'],
  ['api.datadoghq.com', '198.51.100.105'],
  ['hooks.example.org', '198.51.100.106'],
];

/** Days of a developer between scripts that use cloud keys and that nobody has seen before. */
const newCloudScriptDays = 20;

/** What a developer's host has that stays the same from day to day. */
function projectOf(day: Day, number = 0): string {
  const name = projects[(day.host.index + number) % projects.length] as string;
  return day.home(day.platform === 'windows' ? 'src' : 'proj', name);
}

function below(day: Day, folder: string, ...parts: readonly string[]): string {
  return [folder, ...parts].join(day.platform === 'windows' ? '\\' : '/');
}

export function developerDay(day: Day): void {
  editor(day);
  if (!day.isWorkday && day.chance(0.8)) return;
  for (let i = day.random.between(4, 9); i > 0; i--) tests(day, day.within(9, 18));
  if (day.chance(0.5)) packages(day, day.within(9, 17));
  for (let i = day.random.between(1, 3); i > 0; i--) script(day, day.within(9, 18));
  if (day.chance(0.6)) webService(day, day.within(9, 12));
  if (day.chance(0.5)) notebook(day, day.within(10, 16));
  if (day.chance(0.4)) cloudTool(day, day.within(9, 18));
  // A habit: two days of the week. Every month or so there is one that nobody has seen before.
  if ([day.host.index % 5, (day.host.index + 2) % 5].includes(day.number % 7))
    cloudScript(day, day.within(9, 18), 'sync_bucket.py');
  if (day.chance(1 / newCloudScriptDays)) cloudScript(day, day.within(9, 18), `sync_${day.random.hex(4)}.py`);
  if (day.chance(0.2)) condaUpdate(day, day.within(9, 11));
  if (day.chance(0.1)) playbook(day, day.within(9, 17));
  if (day.chance(0.25)) build(day, day.within(10, 17));
  if (day.chance(0.02)) condaInit(day, day.within(9, 10));
  if (day.chance(0.05)) loadTest(day, day.within(13, 16));
  if (day.chance(0.05)) quickServer(day, day.within(13, 16));
}

/** The language server, and what an editor asks interpreters about themselves. */
function editor(day: Day): void {
  if (!day.isWorkday) return;
  const { endpoint } = day;
  const helper = day.process('editor');
  const extension = day.home('.vscode', 'extensions', 'ms-python.python-2026.2.0', 'python_files');
  const started = day.at(8, 30);
  const server = day.python(started, helper, [below(day, extension, 'run-jedi-language-server.py')]);
  if (day.platform !== 'windows') endpoint.spawn(started + 200, server, ['/usr/bin/uname', '-p']);
  for (let i = 0; i < 3; i++) {
    const probe = day.python(started + 2_000 + i * 50, helper, ['-c', 'import sys;print(sys.executable)']);
    day.end(started + 2_100, probe);
  }
  day.end(day.at(18, 30), server);
}

function tests(day: Day, timeMs: number): void {
  const { endpoint, random } = day;
  const project = projectOf(day, random.between(0, 1));
  const run = day.python(timeMs, day.process('shell'), ['-m', 'pytest', '-q', random.pick(['tests', 'tests/unit'])], {
    cwd: project,
  });
  if (day.platform !== 'windows') {
    endpoint.spawn(timeMs + 300, run, ['/usr/bin/git', 'rev-parse', '--show-toplevel']);
    endpoint.spawn(timeMs + 350, run, ['/usr/bin/uname', '-p']);
    if (day.chance(0.2)) endpoint.spawn(timeMs + 400, run, ['/bin/ps', '-o', 'pid,ppid', '-p', '1']);
  } else endpoint.spawn(timeMs + 300, run, ['C:\\Windows\\System32\\cmd.exe', '/c', 'ver']);
  endpoint.file(timeMs + 900, run, below(day, project, '.pytest_cache', 'v', 'cache', 'lastfailed'));
  if (day.chance(0.3)) endpoint.connect(timeMs + 1_500, run, '127.0.0.1', 5432);
  if (day.chance(0.1)) {
    const [name, ip] = random.pick(apis);
    endpoint.visit(timeMs + 2_000, run, name, ip);
  }
  day.end(timeMs + 4_000, run);
}

function packages(day: Day, timeMs: number): void {
  const { endpoint, random } = day;
  const project = projectOf(day);
  const site = below(day, project, '.venv', 'lib', 'python3.12', 'site-packages');
  const pip = day.python(timeMs, day.process('shell'), ['-m', 'pip', 'install', '-r', 'requirements.txt'], {
    cwd: project,
  });
  if (day.platform === 'linux') endpoint.spawn(timeMs + 100, pip, ['/usr/bin/lsb_release', '-a']);
  endpoint.visit(timeMs + 600, pip, 'pypi.org', '151.101.0.223');
  for (let i = random.between(2, 6); i > 0; i--) {
    endpoint.visit(timeMs + 1_000 + i * 300, pip, 'files.pythonhosted.org', '151.101.64.223');
    endpoint.file(timeMs + 1_100 + i * 300, pip, below(day, site, `package_${i}`, '__init__.py'));
  }
  if (day.chance(0.3)) endpoint.file(timeMs + 4_000, pip, below(day, site, 'distutils-precedence.pth'));
  if (day.chance(0.3)) compile(day, timeMs + 5_000, pip);
  day.end(timeMs + 9_000, pip);
}

/** A package without a wheel is built in a temporary environment. */
function compile(day: Day, timeMs: number, pip: Process): void {
  const { endpoint } = day;
  const temporary =
    day.platform === 'windows'
      ? day.home('AppData', 'Local', 'Temp', `pip-build-env-${day.random.hex(8)}`)
      : `${day.platform === 'macos' ? `/private/var/folders/zz/${day.user}/T` : '/tmp'}/pip-build-env-${day.random.hex(8)}`;
  const hook = day.python(timeMs, pip, [below(day, temporary, '_in_process.py'), 'build_wheel', 'x'], {
    cwd: temporary,
  });
  if (day.platform !== 'windows') {
    endpoint.spawn(timeMs + 200, hook, ['/usr/bin/uname', '-m']);
    endpoint.spawn(timeMs + 500, hook, ['/usr/bin/cc', '-c', 'module.c']);
    endpoint.spawn(timeMs + 700, hook, ['/usr/bin/ld', '-o', 'module.so']);
  }
  day.end(timeMs + 2_000, hook);
}

/** A script of the project that talks to a service, always the same one for a script. */
function script(day: Day, timeMs: number): void {
  const { endpoint, random, host } = day;
  const isNew = day.chance(0.05);
  const number = isNew ? random.between(10, 99) : random.between(0, 3);
  const [name, ip] = apis[(host.index + number) % apis.length] as readonly [string, string];
  const project = projectOf(day);
  const run = day.python(timeMs, day.process('shell'), [below(day, 'scripts', `task_${number}.py`)], { cwd: project });
  endpoint.connect(timeMs + 400, run, '10.20.0.30', 5432);
  if (day.chance(0.7)) endpoint.visit(timeMs + 800, run, name, ip);
  if (day.chance(0.15) && day.platform !== 'windows') {
    const shell = endpoint.spawn(timeMs + 900, run, ['/bin/sh', '-c', 'git describe --tags']);
    endpoint.spawn(timeMs + 920, shell, ['/usr/bin/git', 'describe', '--tags']);
  }
  if (day.chance(0.05) && day.platform !== 'windows') endpoint.spawn(timeMs + 950, run, ['/usr/bin/whoami']);
  day.end(timeMs + 3_000, run);
}

function webService(day: Day, timeMs: number): void {
  const { endpoint } = day;
  const web = day.python(timeMs, day.process('shell'), ['-m', 'uvicorn', 'app:app', '--reload'], {
    cwd: projectOf(day),
  });
  for (let i = 0; i < 5; i++) endpoint.connect(timeMs + 60_000 * i + 500, web, '127.0.0.1', 5432);
  endpoint.connect(timeMs + 700, web, '10.20.0.41', 6379);
  if (day.chance(0.3)) endpoint.visit(timeMs + 90_000, web, 'api.stripe.com', '198.51.100.101');
  day.end(timeMs + 4 * 3_600_000, web);
}

function notebook(day: Day, timeMs: number): void {
  const { endpoint, random } = day;
  const server = day.python(timeMs, day.process('shell'), ['-m', 'jupyter-lab', '--no-browser'], { cwd: day.home() });
  const runtime = day.home(...(day.platform === 'macos' ? ['Library', 'Jupyter'] : ['.local', 'share', 'jupyter']));
  const kernel = day.python(timeMs + 9_000, server, [
    '-m',
    'ipykernel_launcher',
    '-f',
    below(day, runtime, 'runtime', `kernel-${random.hex(8)}.json`),
  ]);
  endpoint.connect(timeMs + 9_500, kernel, '127.0.0.1', random.between(50_000, 60_000));
  endpoint.visit(timeMs + 60_000, kernel, 'huggingface.co', '198.51.100.120');
  if (day.chance(0.4)) endpoint.visit(timeMs + 90_000, kernel, 'raw.githubusercontent.com', '185.199.108.133');
  if (day.chance(0.3) && day.platform === 'macos')
    endpoint.spawn(timeMs + 70_000, kernel, ['/usr/sbin/system_profiler', '-xml', 'SPFontsDataType']);
  if (day.chance(0.3) && day.platform !== 'windows') {
    const shell = endpoint.spawn(timeMs + 80_000, kernel, ['/bin/bash', '-c', 'ls -lh data'], { path: '/bin/bash' });
    endpoint.spawn(timeMs + 80_020, shell, ['/bin/ls', '-lh', 'data']);
  }
  if (day.chance(0.2)) {
    const pip = day.python(timeMs + 120_000, kernel, ['-m', 'pip', 'install', 'polars']);
    endpoint.visit(timeMs + 121_000, pip, 'files.pythonhosted.org', '151.101.64.223');
    day.end(timeMs + 122_000, pip);
  }
  day.end(timeMs + 2 * 3_600_000, kernel);
  day.end(timeMs + 2 * 3_600_000, server);
}

const awsPath = {
  macos: '/usr/local/aws-cli/aws',
  linux: '/usr/local/aws-cli/v2/2.22.0/dist/aws',
  windows: 'C:\\Program Files\\Amazon\\AWSCLIV2\\aws.exe',
};

/** Command lines of clouds: a frozen program with its own interpreter, or a script under a bundled one. */
function cloudTool(day: Day, timeMs: number): void {
  const { endpoint, platform } = day;
  if (platform === 'esxi') return;
  if (day.host.index % 2 === 0) {
    const aws = endpoint.spawn(timeMs, day.process('shell'), [awsPath[platform], 's3', 'ls'], {
      path: awsPath[platform],
    });
    const folder = awsPath[platform].replace(/[^\\/]+$/, '');
    const library = { macos: 'libpython3.12.dylib', linux: 'libpython3.12.so.1.0', windows: 'python312.dll' }[platform];
    endpoint.library(timeMs + 60, aws, `${folder}${library}`);
    endpoint.file(timeMs + 200, aws, day.home('.aws', 'credentials'), 'open');
    endpoint.visit(timeMs + 400, aws, 's3.eu-central-1.amazonaws.com', '198.51.100.130');
    day.end(timeMs + 2_000, aws);
    return;
  }
  const sdk = {
    macos: '/opt/homebrew/share/google-cloud-sdk/lib/gcloud.py',
    linux: '/usr/lib/google-cloud-sdk/lib/gcloud.py',
    windows: 'C:\\Program Files (x86)\\Google\\Cloud SDK\\google-cloud-sdk\\lib\\gcloud.py',
  }[platform];
  const gcloud = day.python(timeMs, day.process('shell'), ['-S', sdk, 'compute', 'instances', 'list']);
  const config = platform === 'windows' ? day.home('AppData', 'Roaming', 'gcloud') : day.home('.config', 'gcloud');
  endpoint.file(timeMs + 200, gcloud, below(day, config, 'credentials.db'), 'open');
  if (platform !== 'windows') endpoint.spawn(timeMs + 250, gcloud, ['/usr/bin/uname', '-m']);
  endpoint.visit(timeMs + 400, gcloud, 'compute.googleapis.com', '198.51.100.131');
  day.end(timeMs + 2_000, gcloud);
}

/** A script of the project that uses the cloud with the user's keys. */
function cloudScript(day: Day, timeMs: number, name: string): void {
  const { endpoint } = day;
  const run = day.python(timeMs, day.process('shell'), [below(day, 'scripts', name)], {
    cwd: projectOf(day),
  });
  endpoint.file(timeMs + 300, run, day.home('.aws', 'credentials'), 'open');
  endpoint.visit(timeMs + 600, run, 's3.eu-central-1.amazonaws.com', '198.51.100.130');
  day.end(timeMs + 3_000, run);
}

function condaFolder(day: Day): string {
  return day.platform === 'windows' ? day.home('miniconda3') : day.home('miniforge3');
}

function conda(day: Day, timeMs: number, args: readonly string[]): Process {
  const folder = condaFolder(day);
  const windows = day.platform === 'windows';
  const path = windows ? below(day, folder, 'python.exe') : below(day, folder, 'bin', 'python');
  const main = windows ? below(day, folder, 'Scripts', 'conda-script.py') : below(day, folder, 'bin', 'conda');
  return day.python(timeMs, day.process('shell'), [main, ...args], { path });
}

function condaUpdate(day: Day, timeMs: number): void {
  const { endpoint } = day;
  const run = conda(day, timeMs, ['update', '--all', '-y']);
  endpoint.visit(timeMs + 500, run, 'conda.anaconda.org', '198.51.100.140');
  if (day.platform === 'macos') endpoint.spawn(timeMs + 300, run, ['/usr/bin/sw_vers', '-productVersion']);
  if (day.platform === 'linux') endpoint.spawn(timeMs + 300, run, ['/usr/sbin/ldconfig', '-p']);
  day.end(timeMs + 20_000, run);
}

/** Writes the shell's start file. */
function condaInit(day: Day, timeMs: number): void {
  const run = conda(day, timeMs, ['init']);
  if (day.platform !== 'windows')
    day.endpoint.file(timeMs + 300, run, day.home(day.platform === 'macos' ? '.zshrc' : '.bashrc'));
  day.end(timeMs + 900, run);
}

/** Ansible from a developer's terminal: one connection to each of a dozen servers. */
function playbook(day: Day, timeMs: number): void {
  const { endpoint } = day;
  const run = day.python(timeMs, day.process('shell'), [day.home('.local', 'bin', 'ansible-playbook'), 'site.yml']);
  for (let i = 0; i < 12; i++) endpoint.connect(timeMs + 500 + i * 200, run, `10.20.8.${10 + i}`, 22);
  day.end(timeMs + 60_000, run);
}

/** Builds and publishes a package to the company's index. */
function build(day: Day, timeMs: number): void {
  const { endpoint } = day;
  const project = projectOf(day);
  const run = day.python(timeMs, day.process('shell'), ['-m', 'build'], { cwd: project });
  endpoint.visit(timeMs + 800, run, 'files.pythonhosted.org', '151.101.64.223');
  compile(day, timeMs + 1_500, run);
  day.end(timeMs + 8_000, run);
  const upload = day.python(timeMs + 30_000, day.process('shell'), ['-m', 'twine', 'upload', 'dist/*'], {
    cwd: project,
  });
  endpoint.file(timeMs + 30_200, upload, day.home('.pypirc'), 'open');
  endpoint.connect(timeMs + 30_500, upload, '10.20.0.44', 443);
  day.end(timeMs + 32_000, upload);
}

/** A load test against many addresses of a staging service. */
function loadTest(day: Day, timeMs: number): void {
  const run = day.python(timeMs, day.process('shell'), ['-m', 'locust', '-f', 'load.py'], { cwd: projectOf(day) });
  for (let i = 0; i < 14; i++) day.endpoint.connect(timeMs + 500 + i * 800, run, `10.30.1.${20 + i}`, 8000);
  day.end(timeMs + 60_000, run);
}

/** Hands a folder to a colleague. */
function quickServer(day: Day, timeMs: number): void {
  const run = day.python(timeMs, day.process('shell'), ['-m', 'http.server', '8000'], { cwd: day.home('Downloads') });
  day.end(timeMs + 600_000, run);
}
