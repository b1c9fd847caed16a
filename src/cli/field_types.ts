/** `--field-types FILE`: a JSON object of types by field, as an index mapping would give them. */
import { readFile } from 'node:fs/promises';
import { UsageError } from '../core/errors.js';
import { checkFieldTypes, type FieldTypes } from '../language/field_types.js';
import { CommandError } from './io.js';

export const fieldTypesHelp = '--field-types FILE  types of fields that are not those of ECS: {"version": "semver"}';

/**
 * The options for reading rules that the file gives; none where there is no file.
 * @throws CommandError when the file cannot be read, is no JSON object, or names a type that does not exist.
 */
export async function fieldTypesFrom(path: string | undefined): Promise<{ readonly fieldTypes?: FieldTypes }> {
  if (path === undefined) return {};
  try {
    const types: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof types !== 'object' || types === null || Array.isArray(types))
      throw new CommandError(`${path}: write a JSON object of types by field: {"version": "semver"}`);
    return { fieldTypes: checkFieldTypes(types as Record<string, unknown>) };
  } catch (error) {
    if (error instanceof UsageError) throw new CommandError(`${path}: ${error.message}`);
    throw error instanceof CommandError ? error : new CommandError(`${path}: ${(error as Error).message}`);
  }
}
