/**
 * Path normalisation: the form in which paths of one platform are compared, whatever a sensor wrote. The raw value is
 * kept for display; a normalised path is never shown and never sliced with offsets of the raw one.
 */

export const platforms = ['macos', 'linux', 'windows', 'esxi'] as const;
export type Platform = (typeof platforms)[number];

/** Unicode case folding after composition, so that `É` in either form and `ſ` compare as a folding file system does. */
export function foldCase(text: string): string {
  return isAscii.test(text) ? text.toLowerCase() : foldUnicode(text);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is asked for
const isAscii = /^[\x00-\x7f]*$/;

function foldUnicode(text: string): string {
  return text.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

/** Folds by default on the platforms whose file systems do. */
export function foldsPaths(platform: Platform): boolean {
  return platform === 'macos' || platform === 'windows';
}

const macosAlias = /^\/(?:tmp|var|etc)(?=\/|$)/i;

/** The identity key of a path or `file:` URL on `platform`. `folds` false keeps case. */
export function pathKey(path: string, platform: Platform, folds = foldsPaths(platform)): string {
  let key = path.startsWith('file:') ? fromFileUrl(path) : path;
  key = key.endsWith(' (deleted)') ? key.slice(0, -' (deleted)'.length) : key;
  key = platform === 'windows' ? windowsPath(key) : key.replace(/\/{2,}/g, '/');
  if (platform === 'macos') {
    key = key.replace(/^\/System\/Volumes\/Data(?=\/)/i, '');
    if (macosAlias.test(key)) key = `/private${key}`;
  }
  if (folds) return foldCase(key);
  return isAscii.test(key) ? key : key.normalize('NFC');
}

function fromFileUrl(url: string): string {
  const path = url.replace(/^file:(?:\/\/(?:localhost)?)?(?=\/)/i, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** What every path that is written in another form begins with. */
const windowsForm = /^(?:\\|HKEY_)/i;

function windowsPath(path: string): string {
  const text = path.replaceAll('/', '\\');
  if (!windowsForm.test(text)) return text;
  return text
    .replace(/^\\\\\?\\(?:UNC\\)?/i, (prefix) => (/unc/i.test(prefix) ? '\\\\' : ''))
    .replace(/^\\Device\\HarddiskVolume\d+\\/i, '?:\\')
    .replace(/^\\REGISTRY\\MACHINE\\/i, 'HKLM\\')
    .replace(/^\\REGISTRY\\USER\\/i, 'HKU\\')
    .replace(/^HKEY_LOCAL_MACHINE\\/i, 'HKLM\\')
    .replace(/^HKEY_USERS\\/i, 'HKU\\')
    .replace(/^HKEY_CURRENT_USER\\/i, 'HKCU\\');
}

/** Absolute on its platform. */
export function isAbsolute(path: string, platform: Platform): boolean {
  return platform === 'windows' ? /^(?:[a-z?]:[\\/]|\\\\)/i.test(path) : path.startsWith('/');
}

/** `path` below `directory` where it is relative and the directory is known; `.` and `..` parts are resolved. */
export function joinPath(directory: string | undefined, path: string, platform: Platform): string {
  if (directory === undefined || isAbsolute(path, platform)) return path;
  const separator = platform === 'windows' ? '\\' : '/';
  const parts = `${directory}${separator}${path}`.split(platform === 'windows' ? /[\\/]+/ : /\/+/);
  const resolved: string[] = [];
  for (const part of parts) {
    if (part === '..' && resolved.length > 1) resolved.pop();
    else if (part !== '.') resolved.push(part);
  }
  return resolved.join(separator);
}

/** The last component, of either separator. */
export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

/**
 * Pattern forms of one path glob as sensors may write it: `~` stands for every home directory of the platform, and
 * aliased directories are written both ways.
 */
export function pathPatternForms(pattern: string, platform: Platform): readonly string[] {
  const forms = homes(platform).flatMap((home) => (pattern.startsWith('~') ? [home + pattern.slice(1)] : []));
  const roots = forms.length > 0 ? forms : [pattern];
  if (platform !== 'macos') return roots;
  return roots.flatMap((form) => (/^\/private\/(?:tmp|var|etc)\//i.test(form) ? [form, form.slice(8)] : [form]));
}

function homes(platform: Platform): readonly string[] {
  if (platform === 'windows') return ['?:\\Users\\*'];
  if (platform === 'macos') return ['/Users/*', '/private/var/root'];
  return platform === 'esxi' ? ['/root'] : ['/home/*', '/root'];
}

const homePart = /^(?:\/users\/[^/]+|\/home\/[^/]+|\/root|\/private\/var\/root|[a-z?]:\\users\\[^\\]+)(?=[\\/]|$)/i;

const volatileParts: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '<uuid>'],
  [/ansible-tmp-[^/]+/gi, 'ansible-tmp-*'],
  [/_MEI\w+/g, '_MEI*'],
  [/pip-(req|install|build)-\w+/gi, 'pip-$1-*'],
  [/\btmp[a-z0-9_]{6,}/gi, 'tmp*'],
  [/\d{4}-\d{2}-\d{2}(?:[T_-]?\d{2}[:_-]?\d{2}(?:[:_-]?\d{2})?)?/g, '<ts>'],
  [/(?<![0-9a-z<])\d{9,}(?![0-9a-z>])/gi, '<ts>'],
  [/(?<![0-9a-z<])(?=[0-9a-f]*\d)[0-9a-f]{8,}(?![0-9a-z>])/gi, '<hex>'],
];

/** Something of which every one of {@link volatileParts} holds one. */
const volatileHint = /[0-9a-f]{8}|\d{4}-|tmp|_MEI|pip-/i;

/** Version of {@link generalisePath}; changing what it does invalidates what was learned with it. */
export const generalisationVersion = 1;

/** A path with its volatile parts (home, uuid, hex, dates, temporary names) replaced, so that repeated runs compare equal. */
export function generalisePath(path: string): string {
  const below = path.replace(homePart, '~');
  if (!volatileHint.test(below)) return below;
  return volatileParts.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), below);
}
