/** Which fields of an event are encoded, and how. */
import { UsageError } from '../core/errors.js';
import { isNumberField } from './ecs_fields.js';

/** `text`: values of any JSON type. `number`: 64-bit floats. `id`: text that serves only as an identity. */
export type FieldKind = 'text' | 'number' | 'id';

/** One field to encode. */
export interface FieldSpec {
  /** Dotted ECS name. */
  readonly name: string;
  readonly kind: FieldKind;
  /** A prefix of the name: the array of objects whose elements are kept apart. */
  readonly nested?: string;
  /** Hardly any value comes twice, so a session does not keep them; true for `event.id` unless told otherwise. */
  readonly unique?: boolean;
}

/**
 * Completes a list of fields: a bare name is a number where ECS says so, else text. Order is kept.
 *
 * @throws UsageError `USAGE_OPTION` for an empty or repeated name, or a nested path that is no prefix of its field.
 */
export function resolveFields(fields: readonly (string | FieldSpec)[]): readonly FieldSpec[] {
  const seen = new Set<string>();
  return fields.map((field) => {
    const spec: FieldSpec = typeof field === 'string' ? { name: field, kind: defaultKind(field) } : field;
    if (spec.name === '') throw new UsageError('USAGE_OPTION', 'fields: a field name is empty');
    if (seen.has(spec.name)) throw new UsageError('USAGE_OPTION', `fields: ${spec.name} is listed twice`);
    if (spec.nested !== undefined && !spec.name.startsWith(`${spec.nested}.`)) {
      throw new UsageError('USAGE_OPTION', `fields: ${spec.nested} is not a path above ${spec.name}`);
    }
    seen.add(spec.name);
    return spec;
  });
}

function defaultKind(name: string): FieldKind {
  return isNumberField(name) ? 'number' : 'text';
}
