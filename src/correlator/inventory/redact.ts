/** Takes secrets out of command lines before they are shown or exported. Names stay, values go. */

const mark = '***';

/** Patterns whose group 1 stays and whose rest is replaced. */
const secrets: readonly RegExp[] = [
  // --password X, --api-key=X, -token:X
  /((?:^|\s)-{1,2}[\w-]*(?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|credential)[\w-]*[\s=:]+)("[^"]*"|'[^']*'|\S+)/gi,
  // token=X within URLs, forms and environment assignments
  /(\b[\w-]*(?:password|passwd|secret|token|api[-_]?key|access[-_]?key|signature)[\w-]*=)("[^"]*"|'[^']*'|[^\s&;"']+)/gi,
  // scheme://user:password@
  /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+(?=@)/gi,
  /(\bauthorization:\s*(?:\w+\s+)?)[^\s"']+/gi,
  /(\bbearer\s+)[\w.~+/=-]{8,}/gi,
  // Identifiers of AWS keys, and tokens that name their issuer
  /()\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /()\b(?:gh[pousr]_|glpat-|xox[abpr]-|sk-)[\w-]{16,}/g,
];

/** The text without its secrets. Idempotent. */
export function redact(text: string): string {
  return secrets.reduce((line, pattern) => line.replace(pattern, `$1${mark}`), text);
}
