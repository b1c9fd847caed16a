/** What a behaviour alert says beyond an ordinary alert: the session, its classes, and why this severity. */
export interface BehaviorDetail {
  /** Changes while late witnesses move the start of the case; equal for every order of arrival in the end. */
  readonly canonicalId: string;
  readonly confidence: 'high' | 'medium' | 'low';
  /** Reasons that lowered the confidence. */
  readonly dataQuality: readonly string[];
  readonly session: {
    readonly root: string;
    readonly pid?: number;
    readonly tier: string;
    /** What the interpreter belongs to, told by its place; absent where its path is not known. */
    readonly distribution?: string;
    readonly scriptId: string;
    /** The script's path, joined to the working directory where that is known; absent where no script was run. */
    readonly scriptPath?: string;
    readonly user?: string;
    readonly context: string;
    /** Every context that held, the chosen one first; for an unknown context, why. */
    readonly contextReasons: readonly string[];
    readonly images: readonly string[];
    readonly lineage: readonly {
      readonly executable: string;
      readonly pid?: number;
      readonly link: string;
      readonly implicit: boolean;
    }[];
    /** From the root's launch to the first follow-on; absent when the launch was not seen. */
    readonly timeSinceLaunchUs?: number;
  };
  readonly classes: Readonly<
    Record<
      string,
      {
        readonly level: string;
        readonly instances: number;
        readonly count: number;
        readonly firstUs: number;
        readonly lastUs: number;
      }
    >
  >;
  /** Strong modifiers that held, of which one raised the severity. */
  readonly modifiers: readonly string[];
  readonly weak: readonly string[];
  readonly techniques: readonly string[];
  /** Instances that did not count, with the reason. */
  readonly removed: readonly {
    readonly class: string;
    readonly instance: string;
    readonly reason: string;
    readonly id: string;
  }[];
  /** Witnesses that were attributed otherwise than through their process. */
  readonly attribution: readonly string[];
  /** Ids of cases that a late witness joined to this one. */
  readonly merged: readonly string[];
  /** What was found unusual, of rules about unusual sessions. `hasAgedOut`: the host knew it once. */
  readonly runtime?: {
    readonly hostRole: string;
    readonly interpreter: string;
    readonly context: string;
    readonly userRole: string;
    readonly hasAgedOut: boolean;
  };
}
