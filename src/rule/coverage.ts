/** What analytics need to see: requirements, what sources can tell, and the gaps between. Types of the coverage model. */
import type { EventQuery } from './ir.js';

/** A condition that is counted per host. */
export interface CoverageCounter {
  readonly id: string;
  readonly query: EventQuery;
}

export interface CoverageField {
  readonly id: string;
  /** The class whose events are the denominator. */
  readonly of: string;
  /** Reported where it is not filled; none where nothing depends on it. */
  readonly gap?: string;
  /** Platforms that have such a field; all where none is named. */
  readonly platforms?: readonly string[];
}

/** What a rule or one of its legs needs. Empty lists ask for nothing. */
export interface CoverageRequirement {
  /** Classes that must all be collected. */
  readonly all: readonly string[];
  /** Classes of which one must be collected. */
  readonly any: readonly string[];
  /** Fields that must be filled on their class. */
  readonly fields: readonly string[];
  /** Classes whose absence degrades. */
  readonly recommended: readonly string[];
}

export interface CoverageRule {
  readonly id: string;
  readonly platforms: readonly string[];
  readonly base: CoverageRequirement;
  readonly legs: Readonly<Record<string, CoverageRequirement>>;
}

export interface CoverageSource {
  readonly id: string;
  readonly title: string;
  /** Numbers the events of a host without holes (`event.sequence`): a hole is an event that was lost. */
  readonly sequence: boolean;
  /** Platform, then class, to the gap that names why the source never gives it. */
  readonly cannot: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface CoverageModel {
  /** Counters `class:ID`, `actor:ID`, `field:ID`, `source:ID`, `platform:ID` and `activity`, in this order of kinds; `health:ID` counts events which say that the class is collected. */
  readonly counters: readonly CoverageCounter[];
  readonly classes: readonly string[];
  /** Class to the platforms that have such events; others have them everywhere. */
  readonly classPlatforms: Readonly<Record<string, readonly string[]>>;
  /** Classes that sources may collect for some programs only; `actor:ID` counts those of interpreters. */
  readonly filtered: readonly string[];
  readonly fields: readonly CoverageField[];
  readonly platforms: readonly string[];
  readonly sources: readonly CoverageSource[];
  readonly rules: readonly CoverageRule[];
  /** Class to the gap that its unexplained absence is reported under. */
  readonly absent: Readonly<Record<string, string>>;
  readonly gaps: Readonly<Record<string, { readonly effect: string; readonly remedy: string }>>;
}
