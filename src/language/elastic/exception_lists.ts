import type { Diagnostic } from '../../core/diagnostic.js';
import { diagnosticAt, type Problem, SourceText } from '../../core/source_text.js';
import { readJsonValues } from '../document/json.js';
import type { ObjectReader, Report } from '../document/reader.js';
import type { ObjectNode } from '../document/tree.js';

/** An exception item and the text it is in, which may be another than the rule's. */
export interface ExceptionItem {
  readonly node: ObjectNode;
  readonly source: SourceText;
}

/** The exception lists at hand: those of the file and those the caller passed. */
export class ExceptionLists {
  private readonly lists = new Map<string, ExceptionItem[]>();

  /** Makes a list known, so that it may be empty. */
  declare(listId: string): void {
    if (!this.lists.has(listId)) this.lists.set(listId, []);
  }

  add(item: ExceptionItem): void {
    const id = stringOf(item.node, 'list_id') ?? '';
    this.declare(id);
    this.lists.get(id)?.push(item);
  }

  /** Adds items given as plain data; their problems are shown in their own JSON text. */
  addPlain(items: readonly unknown[], problems: Diagnostic[]): void {
    for (const item of items) {
      const source = new SourceText(JSON.stringify(item, undefined, 2) ?? 'null', 'exception item');
      const [node] = readJsonValues(source.text).values;
      if (node?.kind === 'object') this.add({ node, source });
      else problems.push(diagnosticAt(source, { start: 0, end: 1 }, notAnItem));
    }
  }

  /**
   * The items of the lists that a rule refers to. A list that is not at hand is a warning: the rule runs, and alerts on
   * what the list would have hidden. An element may also hold its items itself, under `items`.
   */
  itemsFor(rule: ObjectReader, source: SourceText, report: Report): ExceptionItem[] {
    return rule.objects('exceptions_list').flatMap((list) => {
      list.acceptAll({ id: 'string', name: 'string', namespace_type: 'string', type: 'string' });
      const inline = list.objects('items').map((item) => ({ node: item.node, source }));
      const id = list.string('list_id');
      if (id === undefined && inline.length === 0) list.missing('list_id', 'the id of a list');
      list.finish();
      const known = id === undefined ? [] : this.lists.get(id);
      if (known === undefined && inline.length === 0) {
        report(list.span('list_id'), {
          code: 'EXCEPTION_LIST_MISSING',
          severity: 'warning',
          message: `the exception list "${id}" is not in this file; the rule runs without it`,
          remedy: 'Export the rule together with its exception lists, or pass their items as an option.',
        });
      }
      return [...(known ?? []), ...inline];
    });
  }
}

const notAnItem: Problem = {
  code: 'RULE_TYPE',
  message: 'an exception item must be a table',
  expected: ['an item as Kibana exports it'],
  remedy: 'Pass the items of the list as objects.',
};

/** The string under a key of a table that is not read as a whole. */
export function stringOf(node: ObjectNode, key: string): string | undefined {
  const value = node.entries.get(key)?.node;
  return value?.kind === 'string' ? value.value : undefined;
}
