/** Every stated limit in one place. The documentation's table is generated from this file. */

/** Longest value, in UTF-8 bytes, that is matched whole; longer ones are cut and counted. */
export const maxValueBytesDefault = 32 * 1024;
/** Deepest nesting of a JSON event. Deeper lines are skipped and counted. */
export const jsonDepthMax = 64;
/** Deepest nesting of a rule expression. */
export const expressionDepthMax = 256;
/** Longest rule text, in UTF-16 code units. */
export const ruleTextMax = 256 * 1024;
/** Rows staged at a time inside the kernel. */
export const chunkRows = 1024;
/** Hash slots that hosts map to; a shard owns some of them. */
export const slotCount = 256;
/** Marks (lineage conditions) that one program can hold. */
export const marksMax = 64;
/** Ancestors followed upwards from a process. */
export const ancestryDepthMax = 16;
/** Steps of a sequence, runs expanded. */
export const sequenceStepsMax = 256;
/** Steps of a sample. */
export const sampleStepsMax = 8;
/** Different functions that one aggregate rule can have. */
export const aggregateFunctionsMax = 4;
/** Newest events that an alert of an aggregate carries as evidence. */
export const aggregateEvidenceMax = 10;
/** Fields of a new-terms rule. */
export const termsFieldsMax = 3;
/** How far an older first event may move a new-terms alert back, in microseconds: a day. */
export const termsLateHorizonUs = 86_400_000_000;
/** Problems told for one EQL query; later ones are left out. */
export const problemsPerQueryMax = 25;
/** Repetitions of one event of a sequence (`with runs=n`). */
export const sequenceRunsMax = 100;
/** Largest repetition count in a regular expression. */
export const regexRepeatMax = 1000;
/** Deepest nesting of groups in a regular expression. */
export const regexDepthMax = 100;
/** Predicates of one program: different conditions of its rules, marks included. */
export const predicatesMax = 65_536;
/** Atoms of one column: different conditions on one field. */
export const atomsMax = 65_536;
/** Columns of one program: fields that its rules read. */
export const columnsMax = 4_096;
/** Names with `*` among the fields that the rules of one program read. */
export const fieldPatternsMax = 64;
/** Instructions of all conditions of one program. */
export const instructionsMax = 2_000_000;
/** Largest compiled program, in bytes. */
export const programBytesMax = 32 * 1024 * 1024;
/** Fields that one expression over several fields can read. */
export const expressionFieldsMax = 32;
/** Combinations of list items that one expression over several fields is tried with. */
export const expressionCombinationsMax = 1024;
/** Combinations of list items that one group key is expanded into; further ones are counted. */
export const keyCombinationsMax = 64;
