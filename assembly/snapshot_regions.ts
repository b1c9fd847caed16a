/**
 * Which parts of memory a copy of the kernel that only writes a snapshot can do without: what is never read meanwhile
 * (indexes, memos, the input), and the ends of tables that nothing has been put in yet. What no hole names is copied.
 */
import { evidenceHoles } from "./evidence";
import { imagesHoles } from "./images";
import { inputHoles } from "./input";
import { holesBegin } from "./memory";
import { processHoles } from "./process_table";
import { stateHoles } from "./state_budget";
import { truthHoles } from "./truth_sets";
import { valuesHoles } from "./values";

/** Address of the list of holes as of now: u32 count, then u32 start and u32 end of each, in any order. */
export function snapshotHoles(): usize {
  const holes = holesBegin();
  inputHoles();
  valuesHoles();
  truthHoles();
  processHoles();
  imagesHoles();
  evidenceHoles();
  stateHoles();
  return holes;
}
