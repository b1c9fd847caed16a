/** Entry of the kernel that the tests of stateful rules build: the host stands in for rows, keys, evidence and output. */
export { configTable, setSection } from "../assembly/config";
export { evidenceLinksUsed } from "../assembly/evidence";
export { hostsRetained, setHostCount } from "../assembly/hosts";
export { keyBuffer } from "../assembly/keys";
export { reserve } from "../assembly/memory";
export { stepBuffer } from "../assembly/output";
export { rowBuffer } from "../assembly/rows";
export { stateRecordCapacity, stateRecordsUsed } from "../assembly/state_budget";
export { stateExport, stateExportBegin, stateImport } from "../assembly/state_snapshot";
export {
  aggregateObserve,
  sampleObserve,
  sequenceStep,
  sequenceUntil,
  stateAdvance,
  stateFlush,
  stateInit,
  stateRowEnd,
  temporalObserve,
  termsObserve,
} from "../assembly/stateful";
