/** Exceptions within a behaviour rule: which witness one covers, and what is told of those that did not. */
import type { Severity } from '../../rule/ir.js';
import type { ExceptionNote, ExceptionSet, ExceptionSubject } from '../exceptions.js';
import type { Case, Instance } from './case.js';
import { textsOf } from './fields.js';
import type { Session, SessionProfile } from './session.js';
import { bands } from './verdict.js';
import type { Witness } from './witness.js';

/** Remarks on exceptions kept of one case. */
const notesMax = 16;

export class Exemptions {
  constructor(
    private readonly set: ExceptionSet,
    private readonly ruleId: string,
    private readonly platform: string,
  ) {}

  /**
   * The instance as an exception leaves it: one that is covered gets a key of its own, so that a later witness of the
   * same thing, past the expiry, is not hidden with it. Judged on the event time of its witness.
   */
  judge(session: Session, target: Case, instance: Instance): Instance {
    const { matched, expired, nearMisses } = this.set.judge(this.subject(session, instance.evidence, instance.class));
    note(target, [
      ...expired.map(({ id, expiresUs }) => ({ id, result: 'expired', expiresUs }) as const),
      ...nearMisses.map(({ id, failed }) => ({ id, result: 'near_miss', failed }) as const),
    ]);
    if (matched === undefined) return instance;
    note(target, [{ id: matched.id, result: 'matched' }]);
    this.set.countWitness(matched.id, session.host.id);
    return { ...instance, key: `${instance.key} (exception ${matched.id})`, exception: matched.id };
  }

  /** Counts a launch of the session, for how much of what runs an exception would cover. */
  launched(session: Session, launch: Deed): void {
    this.set.countLaunch(this.subject(session, launch));
  }

  /** Exceptions of the case that may hide a detection of band `band`. */
  applying(session: Session, target: Case, band: number): readonly string[] {
    const { severity } = bands[band] as { readonly severity: Severity };
    const ids = new Set([...target.instances.values()].flatMap(({ exception }) => exception ?? []));
    const isLeft = (id: string): boolean =>
      target.countedExceptions.includes(id) || !this.set.isSpent(id, session.host.id, target.lastUs);
    return [...ids].filter((id) => this.set.mayHide(id, severity) && isLeft(id)).sort();
  }

  /** Counts what the case hid, or what came back after an expiry; each exception once a case. */
  count(session: Session, target: Case, ids: readonly string[], isExpired: boolean): void {
    for (const id of ids) {
      const mark = isExpired ? `${id}!` : id;
      if (target.countedExceptions.includes(mark)) continue;
      target.countedExceptions.push(mark);
      this.set.count(id, session.host.id, target.lastUs, isExpired);
    }
  }

  /** The case is published after all: what was counted as hidden was not. */
  uncount(session: Session, target: Case): void {
    const hidden = target.countedExceptions.filter((mark) => !mark.endsWith('!'));
    for (const id of hidden) this.set.uncount(id, session.host.id);
    target.countedExceptions = target.countedExceptions.filter((mark) => mark.endsWith('!'));
  }

  /** Whether all of these let the detection be seen, at the lowest severity. */
  areObserved(ids: readonly string[]): boolean {
    return ids.every((id) => this.set.effectOf(id) === 'observe');
  }

  private subject({ host, profile }: Session, deed: Deed, ofClass?: string): ExceptionSubject {
    const subject = launchSubject({ ruleId: this.ruleId, platform: this.platform, host, profile }, deed);
    return ofClass === undefined ? subject : { ...subject, class: ofClass };
  }
}

/** Whose events a condition may ask about. */
interface Tree extends Pick<ExceptionSubject, 'ruleId' | 'host'> {
  readonly platform: string;
  readonly profile: SessionProfile;
}

/** What an exception is judged against where nothing but a launch is known. */
export function launchSubject({ ruleId, platform, host, profile }: Tree, deed: Deed): ExceptionSubject {
  const values = (field: string): readonly string[] => derived(profile, deed, field) ?? textsOf(deed.fields, field);
  return { ruleId, host, platform, timeUs: deed.timeUs, values };
}

/** What an event of the session says. */
type Deed = Pick<Witness, 'timeUs' | 'fields'>;

/** Values of fields that the session knows rather than the event; undefined for fields of the event. */
function derived(profile: SessionProfile, { fields }: Deed, field: string): readonly string[] | undefined {
  const [root, ...ancestors] = profile.chain;
  const executables = (nodes: typeof ancestors): string[] =>
    nodes.flatMap(({ images }) => images.flatMap(({ executable }) => executable ?? []));
  switch (field) {
    case 'context':
      return [profile.context];
    case 'script_id':
      return [profile.scriptId];
    case 'root.user':
      return profile.user === undefined ? [] : [profile.user];
    case 'root.executable':
      return root === undefined ? [] : executables([root]);
    case 'ancestor.executable':
      return executables(ancestors);
    case 'item.path':
      return ['Persistence.path', 'file.path', 'registry.path'].flatMap((name) => textsOf(fields, name));
    default:
      return undefined;
  }
}

function note(target: Case, notes: readonly ExceptionNote[]): void {
  for (const one of notes) {
    const isKnown = target.exceptionNotes.some(({ id, result }) => id === one.id && result === one.result);
    if (!isKnown && target.exceptionNotes.length < notesMax) target.exceptionNotes.push(one);
  }
}
