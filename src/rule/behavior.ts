/**
 * What a behaviour rule judges on a session's witnesses, outside the per-event path. Owns the typed shape of
 * `BehaviorRule.judgement`; knows no language, no kernel and no interpreter. Everything specific is data in `content/`.
 *
 * Session: one root process and all its descendants. Witness: one event of a session that satisfied an item.
 * Case: the witnesses of one session with gaps of at most `windowUs`. See `docs/behavior-rules.md`.
 */

/** Severity of a case. An `observation` is published as `informational`. */
export type CaseSeverity = 'observation' | 'low' | 'medium' | 'high' | 'critical';

/** Glob patterns (`*` any run, `?` one character) over normalised text; `except` wins over `patterns`. */
export interface PatternList {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly except: readonly string[];
}

/** Holds for a process when one of its images satisfies every key given. Within a key, any entry suffices. */
export interface ProcessTest {
  /** Globs over the file name of the executable, or the process name where there is no executable. */
  readonly names?: readonly string[];
  /** Globs over the normalised path of the executable. */
  readonly paths?: readonly string[];
  /** Globs over the command line. */
  readonly commandLines?: readonly string[];
  /** Globs over the user the image ran as. */
  readonly users?: readonly string[];
  /** Marks that the process itself carries. */
  readonly marks?: readonly string[];
  /** At least one of these tests holds too. */
  readonly any?: readonly ProcessTest[];
  /** No image may satisfy this test. */
  readonly not?: ProcessTest;
}

/**
 * Where on the ancestor chain a {@link ProcessTest} looks: the `root`; the root and the wrappers right above it
 * (`entry`); the nearest ancestor that is not a wrapper (`nearest`); any of the first `depth` ancestors (`ancestor`).
 */
export interface ChainTest {
  readonly at: 'root' | 'entry' | 'parent' | 'nearest' | 'ancestor';
  /** Ancestors looked at, for `ancestor`. Default: `lineageDepth` of the judgement. */
  readonly depth?: number;
  readonly process: ProcessTest;
}

/** One launch context. The first whose `when` holds is the session's context; all that hold are recorded. */
export interface ContextSpec {
  readonly name: string;
  readonly group: string;
  /** Any alternative suffices; within an alternative every condition must hold. */
  readonly when: readonly (readonly SessionCondition[])[];
}

/** How the root's command line tells what it runs. Single letters; a short option may carry its value attached. */
export interface InterpreterSpec {
  /** Images that are the interpreter itself, as opposed to what the root process was before or became later. */
  readonly images: ProcessTest;
  /** Without such an image: images that are the interpreter under another name. */
  readonly renamed?: ProcessTest;
  readonly valueOptions: string;
  readonly longValueOptions: readonly string[];
  readonly inlineOption?: string;
  readonly moduleOption?: string;
  /** Globs over a first argument that a launcher takes for itself (`-3.11`, `-V:tag`). */
  readonly launcherOptions: readonly string[];
  /** Globs over script arguments that mean the script is not on disk. */
  readonly streamScripts: readonly string[];
}

export type RunMode = 'script' | 'inline' | 'module' | 'stdin' | 'interactive' | 'none';

/**
 * A condition on a session and, where it speaks of witnesses, on those of one window. Every key given must hold;
 * within a list, any entry suffices.
 */
export interface SessionCondition {
  readonly all?: readonly SessionCondition[];
  readonly any?: readonly SessionCondition[];
  readonly not?: SessionCondition;
  readonly fact?: string;
  readonly context?: readonly string[];
  readonly group?: readonly string[];
  readonly chain?: ChainTest;
  readonly mode?: readonly RunMode[];
  readonly modules?: readonly string[];
  /** Globs over the file name of the script. */
  readonly scriptNames?: readonly string[];
  /** A path of the session lies in the list: of its script, of its interpreter, or of a persistence item's program. */
  readonly path?: { readonly of: readonly ('script' | 'interpreter' | 'program')[]; readonly in: PatternList };
  /** A directory on the path is hidden (leading dot), is not one of `known`, and the path lies in `below`. */
  readonly hidden?: {
    readonly of: readonly ('script' | 'interpreter' | 'program')[];
    readonly below: PatternList;
    readonly known: readonly string[];
  };
  /** Inline code, or a persistence item's program arguments, match every one of the pattern groups. */
  readonly code?: { readonly of: readonly ('inline' | 'program')[]; readonly groups: readonly PatternList[] };
  readonly inlineLengthMin?: number;
  /** Globs over user names of the root. */
  readonly users?: readonly string[];
  /** Globs over fields of a witness of the root's launch. A missing field never satisfies. */
  readonly launch?: { readonly field: string; readonly values: readonly string[] };
  /**
   * The script is approved: an entry of the list is its path (a glob), a space, and the hash that the launch event has
   * in `field`. `anyHash`: the path alone decides, whatever the hash.
   */
  readonly approved?: { readonly in: PatternList; readonly field: string; readonly anyHash: boolean };
  readonly classes?: ClassTest;
  /** A level of a class is reached in the window. */
  readonly level?: { readonly class: string; readonly level: string };
  /** A witness of any of the items is in the window. */
  readonly items?: readonly string[];
  /** Commands, items or classes in this order, each later than or equal to the one before, within `withinUs`. */
  readonly ordered?: { readonly steps: readonly (readonly string[])[]; readonly withinUs: number };
  /** The session deleted its own script at most this long after launch. */
  readonly scriptDeletedWithinUs?: number;
  /** An event of the `context` class `class` came at most `withinUs` before a witness of `before` in the window. */
  readonly preceded?: { readonly class: string; readonly before: string; readonly withinUs: number };
  /** A file the session wrote was executed by it within this time. */
  readonly wroteAndRanWithinUs?: number;
  /** Shannon entropy of the script's stem. */
  readonly scriptEntropy?: { readonly lengthMin: number; readonly bitsPerCharMin: number };
  /** The script's name is hidden, has two extensions, or holds invisible or direction-changing characters. */
  readonly scriptDisguised?: boolean;
  /** The launch falls outside these hours. */
  readonly outsideHours?: BusinessHours;
  /** The root runs with an absolute script path and nothing else. */
  readonly bareScript?: boolean;
}

/** Which classes are satisfied in the window. `all`: each; `any`: at least `min` (default 1) of them; `none`: not one. */
export interface ClassTest {
  readonly all?: readonly string[];
  readonly any?: readonly string[];
  readonly min?: number;
  readonly none?: readonly string[];
}

/** Weekly working hours in a fixed offset from UTC. Days are 1 (Monday) to 7. Minutes count from midnight, end exclusive. */
export interface BusinessHours {
  readonly utcOffsetMinutes: number;
  /** Announced work at any hour, in microseconds since the epoch, end exclusive. */
  readonly maintenance: readonly { readonly fromUs: number; readonly toUs: number }[];
  readonly intervals: readonly {
    readonly days: readonly number[];
    readonly fromMinute: number;
    readonly toMinute: number;
  }[];
}

/**
 * `core` classes are what the ladder counts and open cases; `auxiliary` ones open cases too but act only where a condition
 * names them; `context` ones are kept with the session and open nothing.
 */
export interface ClassSpec {
  readonly name: string;
  readonly role: 'core' | 'auxiliary' | 'context';
  /** Fields that tell instances apart; the first present of each group is used. Paths are compared normalised. */
  readonly instance: readonly (readonly string[])[];
  readonly satisfied: 'any' | CommandThreshold;
  /** Instances are told apart by normalised path. */
  readonly paths: boolean;
  /** Rising levels of this class, lowest first; an item without a level has that of `countsFrom`. */
  readonly levels: readonly string[];
  /** The class is satisfied from this level on. */
  readonly countsFrom: string;
  readonly raises: readonly LevelRaise[];
  /**
   * Fields that name the process acted on: what is done to the subject itself, or to a process that descends from it, is
   * no instance. `path`: a field whose value names the process by a path below `/proc/`.
   */
  readonly notOnOwn?: { readonly identity: string; readonly pid: string; readonly path?: string };
  /** What a baseline, where one is asked for, learns of its instances. Absent: nothing, ever. */
  readonly learns?: 'destination' | 'command' | 'approval';
  readonly techniques: readonly string[];
}

/**
 * A class of commands: satisfied by one strong command, or by `distinct` commands of which at most `noise` are noise
 * and at least one is not, or by `acrossDistinct` commands that are not noise from `acrossCategories` categories.
 */
export interface CommandThreshold {
  readonly distinct: number;
  readonly noise: number;
  readonly acrossDistinct: number;
  readonly acrossCategories: number;
}

/** What lifts witnesses of a class to a higher level. */
export type LevelRaise =
  | {
      /** Many distinct destinations among witnesses of the levels `from`, within the window. */
      readonly kind: 'fanOut';
      readonly from: readonly string[];
      readonly field: string;
      readonly values: number;
      readonly instances?: number;
      readonly to: string;
    }
  | {
      /** No name is known for the destination although the source would have reported its lookup. */
      readonly kind: 'unnamed';
      readonly from: readonly string[];
      readonly provides: string;
      readonly to: string;
    }
  | {
      /** The destination's name is in the list. */
      readonly kind: 'named';
      readonly from: readonly string[];
      readonly in: PatternList;
      readonly to: string;
    };

/** What the judgement adds to an item of the rule. */
export interface ItemSpec {
  readonly id: string;
  /** Level of its witnesses; absent: the one its class counts from. */
  readonly level?: string;
  /** Fields that hold the program, then its arguments, which an autostart item would run. */
  readonly program?: readonly string[];
  /** The event's path must lie in this list once normalised; the item's query may be wider. */
  readonly path?: { readonly fields: readonly string[]; readonly in: PatternList };
  /** It counts only together with a witness of another item about the same folder, so near in time; ends included. */
  readonly pair?: { readonly item: string; readonly withinUs: number };
  /** The witness is an execution to be classified by the command table; its own class is not witnessed. */
  readonly commands?: boolean;
  readonly techniques: readonly string[];
}

/** One row of the command table. The first row that matches a command decides. */
export interface CommandSpec {
  readonly id: string;
  readonly class: string;
  readonly category: string;
  /** Globs over the command's file name, case-insensitive, without `.exe`. */
  readonly names: readonly string[];
  /** Alternatives; each is a run of globs that must match arguments in order, others between allowed. Empty: no arguments. */
  readonly args?: readonly (readonly string[])[];
  /** An argument, taken as a path, lies in the list. */
  readonly argPath?: PatternList;
  readonly strong: boolean;
  readonly noise: boolean;
  readonly techniques: readonly string[];
}

export interface CommandTable {
  readonly rows: readonly CommandSpec[];
  /** Events are lines that a person typed, without a process: the whole line is split as a shell string. */
  readonly typed: boolean;
  /** Programs whose `-c` (or `/c`) argument is split into commands. */
  readonly shells: readonly string[];
  /** Words before a command that are not the command. */
  readonly prefixes: readonly string[];
}

/** The first row whose condition holds gives the severity; none: no detection. */
export interface LadderRow {
  readonly when: SessionCondition;
  readonly severity: CaseSeverity;
}

/** `strong` raises the ladder's result by one band, at most once in total; `weak` only speaks for confidence. */
export interface ModifierSpec {
  readonly id: string;
  readonly strength: 'strong' | 'weak';
  readonly when: SessionCondition;
}

/** Instances of a class that are evidence but do not count: the session satisfies `when` and the instance `instance`. */
export interface RemovalSpec {
  readonly id: string;
  readonly reason: string;
  readonly class: string;
  readonly when: SessionCondition;
  /** The class that a removed instance counts for instead; absent: it counts for none. */
  readonly countsAs?: string;
  /** All must hold. `domain` is the destination's name, from the event or from a lookup by the same session. */
  readonly instance?: {
    readonly domain?: PatternList;
    readonly path?: PatternList;
    readonly items?: readonly string[];
    readonly commands?: readonly string[];
  };
}

/**
 * A rule that asks of other rules' sessions how usual they are, instead of events of its own. It tells nothing without
 * a baseline and nothing of a host that learns. Each finding is a class of the rule that its ladder weighs.
 */
export interface UnusualSpec {
  /** Ids of the rules whose sessions it hears of. */
  readonly follows: readonly string[];
  /** One alert of a key within this time; what comes meanwhile is counted with it. */
  readonly everyUs: number;
  /** How long after its first event a session is judged: an interpreter becomes what it is in several steps. */
  readonly settleUs: number;
  /** Tiers of the followed rules that mean a renamed interpreter. */
  readonly renamedTiers: readonly string[];
  readonly findings: {
    /** The runtime (host role, distribution, context, user role) is not known to the baseline. */
    readonly firstSeen?: string;
    /** The host's role is declared not to run it, or not this distribution. */
    readonly unexpected?: string;
    /** The same on a role of high criticality. */
    readonly critical?: string;
    readonly renamed?: string;
  };
}

/** What a baseline must not learn nor remove, and how destinations are told apart. */
export interface BaselineSpec {
  /** While it holds of the session or of a window of its case, nothing is learned and nothing known is removed. */
  readonly never: SessionCondition;
  /** Names below these belong to many owners and are kept whole; others are cut to the registered domain. */
  readonly sharedDomains: PatternList;
  /** The first that holds names the workflow of a session: what a workflow usually does is known whatever it runs. */
  readonly workflows: readonly WorkflowSpec[];
}

/** Automation told by something that it cannot forge, such as its agent's place or account. */
export interface WorkflowSpec {
  readonly id: string;
  readonly when: SessionCondition;
  /** Fields of the launch that name who controls it; the first present. Absent: the nearest ancestor's executable. */
  readonly controller: readonly string[];
}

/** A kind of source, told by a field of its events, and what it is declared to report. */
export interface SourceSpec {
  readonly field: string;
  readonly values: readonly string[];
  readonly provides: readonly string[];
}

/** A leg of the coverage report: what must be collected for a class to be seen at all. */
export interface CoverageLeg {
  readonly name: string;
  readonly requires: readonly string[];
  readonly recommends: readonly string[];
}

/**
 * What makes events one session: the tree of a marked root process, or equal values of fields where the source knows no
 * processes. Then items are witnessed without a chain, and each witness of the launch class tells what was run.
 */
export type SessionSpec =
  | { readonly kind: 'lineage' }
  | { readonly kind: 'fields'; readonly fields: readonly string[] };

export interface Judgement {
  readonly session: SessionSpec;
  /** Correlation window, closed at both ends. */
  readonly windowUs: number;
  /** How long a closed case still takes late witnesses. */
  readonly retainUs: number;
  /** Within this time a case equal in everything that an analyst would act on is counted, not published. 0: never. */
  readonly suppressUs: number;
  /** Longest distance in time between a write and an unattributed item of the same path. */
  readonly pathJoinUs: number;
  /** How long a lookup names the address it resolved to. */
  readonly lookupUs: number;
  /** Fields of a destination, for classes whose instances have one. */
  readonly destination: { readonly domainField: string; readonly addressField: string };
  /** Ancestors looked at for the launch context. */
  readonly lineageDepth: number;
  /** Paths compare without regard to case and in composed form (Windows, macOS). */
  readonly foldsPaths: boolean;
  /** Hosts (by id) whose file systems tell case apart although their platform's usually do not. */
  readonly caseSensitiveHosts: readonly string[];
  readonly platform: 'macos' | 'linux' | 'windows' | 'esxi';
  readonly classes: readonly ClassSpec[];
  readonly items: readonly ItemSpec[];
  readonly commands: CommandTable;
  readonly wrappers: ProcessTest;
  readonly serviceHosts: ProcessTest;
  readonly contexts: readonly ContextSpec[];
  /** Context and group of a session that no spec matches. */
  readonly unknownContext: { readonly name: string; readonly group: string };
  readonly interpreter: InterpreterSpec;
  readonly tiers: readonly { readonly name: string; readonly process: ProcessTest }[];
  readonly facts: readonly { readonly name: string; readonly when: SessionCondition }[];
  readonly ladder: readonly LadderRow[];
  readonly modifiers: readonly ModifierSpec[];
  readonly removals: readonly RemovalSpec[];
  readonly sources: readonly SourceSpec[];
  /** Field that names the process which a service acted for. */
  readonly actedFor: string;
  /** Absent: the rule has no baseline. */
  readonly baseline?: BaselineSpec;
  /** Absent: the rule judges events. */
  readonly unusual?: UnusualSpec;
  readonly coverage: readonly CoverageLeg[];
  /** Class names of the session's own bookkeeping; each names a `context` class of `classes`, or is absent. */
  readonly bookkeeping: {
    readonly launch?: string;
    readonly lookup?: string;
    readonly deletion?: string;
    readonly write?: string;
    readonly execution?: string;
    /** Events that tell where something came from: log-ins, uploads, downloads. */
    readonly source?: string;
  };
  /** Fields of witnesses that the judgement reads or keeps as evidence. */
  readonly fields: readonly string[];
}
