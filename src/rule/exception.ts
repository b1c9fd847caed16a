/**
 * Approved exceptions: who vouches for which behaviour, why and until when. Types and the checks that every exception
 * must pass, whatever file it came from.
 */
import type { BusinessHours } from './behavior.js';
import type { Severity } from './ir.js';

/** One condition of an exception. All conditions must hold; a condition holds when any value of the field satisfies it. */
export interface ExceptionCondition {
  /**
   * A canonical field of the event, or a derived one: `context`, `script_id`, `root.executable`, `root.user`,
   * `ancestor.executable`, `item.path`, `host.group`.
   */
  readonly field: string;
  /** `is`: any of the texts. `matches`: any of the globs (`*`, `?`), compared without case. */
  readonly operator: 'is' | 'matches' | 'exists';
  readonly values: readonly string[];
  readonly isNegated: boolean;
}

export type ExceptionEffect = 'suppress' | 'observe';

/** What its owners made of it; only an `active` one hides, and only within its time. */
export const exceptionStates = ['active', 'draft', 'revoked', 'expired'] as const;
export type ExceptionState = (typeof exceptionStates)[number];

/** One entry of the record that its owners keep; entries are only added. */
export interface ExceptionAudit {
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly comment?: string;
}

export interface Exception {
  readonly id: string;
  readonly title: string;
  /** Person or team that answers for it. */
  readonly owner: string;
  readonly approver?: string;
  readonly reason: string;
  readonly ticket?: string;
  readonly state: ExceptionState;
  readonly createdUs: number;
  readonly approvedUs?: number;
  /** How often its owner looks at it again. */
  readonly reviewEveryUs?: number;
  readonly audit: readonly ExceptionAudit[];
  /** Covers event times in `[validFromUs, expiresUs)`. */
  readonly validFromUs: number;
  readonly expiresUs: number;
  readonly scope: {
    /** Rule ids. */
    readonly rules: readonly string[];
    /** Classes of behaviour rules; empty: all. */
    readonly classes: readonly string[];
    /** Host ids or names, globs; empty: all. */
    readonly hosts: readonly string[];
    readonly platforms: readonly string[];
  };
  readonly conditions: readonly ExceptionCondition[];
  readonly effect: ExceptionEffect;
  /** Detections above are never hidden. */
  readonly maxSeverity: Severity;
  /** Detections that it hides on one host in one day (UTC) at most; more are told. */
  readonly maxMatchesPerDay?: number;
  /** It covers event times within these hours only. */
  readonly businessHours?: Omit<BusinessHours, 'maintenance'>;
  /** Host ids or names (globs) of the groups that `host.group` names. */
  readonly hostGroups?: Readonly<Record<string, readonly string[]>>;
}

/** A defect of an exception: it is refused (`error`) or kept with a doubt (`warning`). */
export interface ExceptionDefect {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly remedy: string;
  /** The part of the exception that is at fault. */
  readonly part: 'owner' | 'reason' | 'expires' | 'valid_from' | 'scope' | 'match' | 'max_severity';
  /** Index of the condition at fault. */
  readonly condition?: number;
}

const dayUs = 86_400_000_000;
/** Longest life of an exception. */
export const exceptionDaysMax = 365;
/** Life where the file names no expiry is not assumed: an expiry is required. Suggested in the remedy. */
export const exceptionDaysSuggested = 90;
export const reasonLengthMin = 20;

/** Fields whose value an unprivileged process cannot choose for itself. */
const anchorFields = new Set([
  'process.code_signature.subject_name',
  'process.code_signature.team_id',
  'process.code_signature.signing_id',
  'process.parent.code_signature.subject_name',
  'process.hash.sha256',
  'file.hash.sha256',
  'x.systemd.unit',
  'container.image.hash.all',
]);

/** Fields that anchor when their value lies where only the system or its administrator writes. */
const pathAnchorFields = new Set([
  'ancestor.executable',
  'root.executable',
  'process.parent.executable',
  'process.executable',
]);

/** Directories that belong to root, TrustedInstaller or the image. */
const ownedDirectories = [
  '/usr/',
  '/bin/',
  '/sbin/',
  '/lib',
  '/opt/',
  '/system/',
  '/library/',
  '/applications/',
  'c:\\windows\\',
  'c:\\program files',
  '?:\\windows\\',
  '?:\\program files',
];
/** Parts of those that others may write to as well. */
const unownedDirectories = [
  '/usr/local/',
  '/opt/homebrew/',
  '/library/caches/',
  'c:\\windows\\temp\\',
  '?:\\windows\\temp\\',
];

/** Checks one exception; an empty list means that it may be used. */
export function exceptionDefects(exception: Exception): ExceptionDefect[] {
  return [
    ...paperworkDefects(exception),
    ...timeDefects(exception),
    ...scopeDefects(exception),
    ...conditionDefects(exception),
  ];
}

function defect(
  part: ExceptionDefect['part'],
  code: string,
  message: string,
  remedy: string,
  condition?: number,
): ExceptionDefect {
  return { part, code, message, remedy, severity: 'error', ...(condition === undefined ? {} : { condition }) };
}

function paperworkDefects({ owner, reason, maxSeverity, approver }: Exception): ExceptionDefect[] {
  const defects: ExceptionDefect[] = [];
  if (owner.trim() === '')
    defects.push(defect('owner', 'EXCEPTION_OWNER', 'has no owner', 'name the person or team that answers for it'));
  if (reason.trim().length < reasonLengthMin)
    defects.push(
      defect(
        'reason',
        'EXCEPTION_REASON',
        `its reason is shorter than ${reasonLengthMin} characters`,
        'say what is allowed and why it is safe',
      ),
    );
  if ((maxSeverity === 'high' || maxSeverity === 'critical') && (approver ?? owner) === owner)
    defects.push(
      defect(
        'max_severity',
        'EXCEPTION_APPROVER',
        `hides ${maxSeverity} detections without a second person`,
        'name an approver other than the owner, or lower max_severity',
      ),
    );
  return defects;
}

function timeDefects({ createdUs, validFromUs, expiresUs }: Exception): ExceptionDefect[] {
  if (expiresUs <= validFromUs)
    return [
      defect('expires', 'EXCEPTION_EXPIRY', 'expires before it becomes valid', 'set expires later than valid_from'),
    ];
  if (expiresUs - Math.min(createdUs, validFromUs) > exceptionDaysMax * dayUs)
    return [
      defect(
        'expires',
        'EXCEPTION_EXPIRY',
        `lives longer than ${exceptionDaysMax} days`,
        `set expires sooner (usual: ${exceptionDaysSuggested} days) and renew it`,
      ),
    ];
  return [];
}

function scopeDefects({ scope }: Exception): ExceptionDefect[] {
  return scope.rules.length > 0
    ? []
    : [defect('scope', 'EXCEPTION_SCOPE', 'names no rule', 'list the rule ids that it applies to under scope.rules')];
}

function conditionDefects(exception: Exception): ExceptionDefect[] {
  const defects: ExceptionDefect[] = [];
  exception.conditions.forEach(({ operator, values }, index) => {
    const bare = values.find((value) => operator === 'matches' && /^[*?]*$/.test(value));
    if (bare !== undefined)
      defects.push(
        defect(
          'match',
          'EXCEPTION_PATTERN',
          `the pattern ${JSON.stringify(bare)} matches everything`,
          'write the part that is known',
          index,
        ),
      );
  });
  const isAnchored = exception.conditions.some(isAnchor) || hasHostAndUser(exception);
  if (!isAnchored)
    defects.push(
      defect(
        'match',
        'EXCEPTION_ANCHOR',
        `rests only on what a process chooses for itself: ${namesOf(exception.conditions)}`,
        'add an anchor: a code signature, a file hash, a systemd unit, an ancestor executable in a system directory, or hosts together with a user',
      ),
    );
  return defects;
}

const namesOf = (conditions: readonly ExceptionCondition[]): string =>
  [...new Set(conditions.map(({ field }) => field))].join(', ') || 'it has no condition';

function isAnchor({ field, operator, values, isNegated }: ExceptionCondition): boolean {
  if (isNegated || operator === 'exists' || values.length === 0) return false;
  if (values.some((value) => /^[*?]/.test(value) && !value.startsWith('?:\\'))) return false;
  if (anchorFields.has(field)) return true;
  return pathAnchorFields.has(field) && values.every(isOwnedPath);
}

function isOwnedPath(path: string): boolean {
  const folded = path.toLowerCase();
  return (
    ownedDirectories.some((prefix) => folded.startsWith(prefix)) &&
    !unownedDirectories.some((prefix) => folded.startsWith(prefix))
  );
}

/** Hosts and the user together: neither alone, since a user runs anything and a host runs anyone's code. */
function hasHostAndUser({ scope, conditions }: Exception): boolean {
  const names = (field: string): boolean =>
    conditions.some((condition) => condition.field === field && condition.operator === 'is' && !condition.isNegated);
  const hasHosts =
    scope.hosts.some((host) => !/^[*?]/.test(host)) || names('host.group') || names('host.id') || names('host.name');
  return hasHosts && (names('user.name') || names('user.id') || names('root.user'));
}
