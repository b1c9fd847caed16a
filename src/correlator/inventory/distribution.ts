/** Which distribution an interpreter belongs to, told by where it lies. Its path decides; nothing is executed or read. */

/** First match wins; paths compare lower-cased with forward slashes. */
const places: readonly (readonly [string, RegExp])[] = [
  [
    'virtual environment',
    /\/(?:\.?venv|\.?virtualenv|env|\.tox|\.nox|virtualenvs|pipx\/venvs)\/(?:[^/]+\/)*(?:bin|scripts)\//,
  ],
  ['conda', /\/(?:mini|ana|micro)(?:conda|forge|mamba)\d*\/|\/conda\/|\/mambaforge\//],
  ['pyenv', /\/\.?pyenv\//],
  ['uv', /\/uv\/(?:python|tools)\//],
  ['asdf or mise', /\/\.?(?:asdf|mise)\//],
  ['Homebrew', /^\/opt\/homebrew\/|^\/usr\/local\/(?:cellar|opt)\/|^\/home\/linuxbrew\//],
  ['MacPorts', /^\/opt\/local\//],
  ['python.org', /^\/library\/frameworks\/python\.framework\//],
  ['Xcode command line tools', /^\/(?:library\/developer|applications\/xcode[^/]*\.app)\//],
  ['Microsoft Store', /\/windowsapps\//],
  ['bundled with an application', /\.app\/contents\/|^\/snap\/|\/flatpak\//],
  ['python.org', /\/programs\/python\/python\d|^[a-z]:\/python\d|\/program files(?: \(x86\))?\/python\d/],
  ['bundled with an application', /\/program files(?: \(x86\))?\//],
  ['temporary folder', /^\/tmp\/|^\/var\/tmp\/|^\/dev\/shm\/|\/temp\/|\/tmp\//],
  ['system', /^\/(?:usr\/)?(?:bin|sbin|lib|lib64|libexec)\/|^\/system\//],
  ['locally installed', /^\/usr\/local\//],
  ['home folder', /^\/(?:users|home|root)(?:\/|$)|^[a-z]:\/users\//],
];

/** A name for people; `elsewhere` where no place is known, `unknown` without a path. */
export function distributionOf(path: string | undefined): string {
  if (path === undefined || !/[\\/]/.test(path)) return 'unknown';
  const folded = path.toLowerCase().replaceAll('\\', '/');
  return places.find(([, pattern]) => pattern.test(folded))?.[0] ?? 'elsewhere';
}

/** The version that the path names, such as `3.12`; undefined where it names none. */
export function versionOf(path: string): string | undefined {
  const match = /(?:python@?|pypy|cellar\/python@?[\d.]*\/|versions\/)(\d+\.\d+(?:\.\d+)?)/i.exec(path);
  const windows = /python(\d)(\d{1,2})[\\/-]/i.exec(path);
  return match?.[1] ?? (windows === null ? undefined : `${windows[1]}.${windows[2]}`);
}
