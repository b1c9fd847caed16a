/** What a compiled condition is asked about: a session as a whole, or one window of its case. */
import type { Instance } from '../case.js';
import type { SessionProfile } from '../profile.js';
import type { Session } from '../session.js';
import type { EvidenceFields } from '../witness.js';

/** The witnesses of one window that are considered, and what they make of each class, by the class's index. */
export interface WindowView {
  readonly instances: readonly Instance[];
  /** Index into the levels of the class, fan-out counted in; -1 where the window holds none of it. */
  readonly levels: readonly number[];
  readonly satisfied: readonly boolean[];
}

/** Where there is no window nothing is in it. */
export const noWindow: WindowView = { instances: [], levels: [], satisfied: [] };

export type Question = (scope: Scope) => boolean;

/** One evaluation: everything asked of one scope is asked of the same state. */
export class Scope {
  readonly #answers: (boolean | undefined)[] = [];
  readonly #profile: SessionProfile | undefined;

  /** `profile` stands in while a session is being described; then there is no `session` yet. */
  constructor(
    readonly session: Session | undefined,
    readonly window: WindowView = noWindow,
    readonly launch: EvidenceFields | undefined = session?.launch?.fields,
    profile?: SessionProfile,
  ) {
    this.#profile = profile;
  }

  get profile(): SessionProfile {
    return this.#profile ?? (this.session as Session).profile;
  }

  /** The answer to a fact, which is found once. */
  answer(fact: number, question: Question): boolean {
    const known = this.#answers[fact];
    if (known !== undefined) return known;
    const found = question(this);
    this.#answers[fact] = found;
    return found;
  }
}
