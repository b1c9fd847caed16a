import type { Span } from '../../core/diagnostic.js';
import type { Problem } from '../../core/source_text.js';
import type { Expr } from '../../rule/ir.js';
import { allOf, always, anyOf, FieldQueries, type FieldQueryOptions, noneOf } from '../field_query.js';
import { globOf } from '../glob.js';
import { isLoneWildcard, type KueryLiteral, type KueryNode, literalText } from './ast.js';

type Report = (span: Span, problem: Problem) => void;

/** Lowers a read query to a condition. Problems of meaning (dates, addresses, `null`) go to `report`. */
export function lowerKuery(node: KueryNode, options: FieldQueryOptions, report: Report): Expr {
  return new Lowering(new FieldQueries(options, report), report).node(node, '');
}

class Lowering {
  private readonly fields: FieldQueries;
  private readonly report: Report;

  constructor(fields: FieldQueries, report: Report) {
    this.fields = fields;
    this.report = report;
  }

  /** `prefix` is the path of the nested query around the node, with its dot. */
  node(node: KueryNode, prefix: string): Expr {
    switch (node.kind) {
      case 'and':
      case 'or': {
        const operands = node.operands.map((operand) => this.node(operand, prefix));
        return node.kind === 'and' ? allOf(operands, node.span) : anyOf(operands, node.span);
      }
      case 'not':
        return noneOf(this.node(node.operand, prefix), node.span);
      case 'nested': {
        const path = prefix + literalText(node.path);
        return { kind: 'nested', path, condition: this.node(node.operand, `${path}.`), span: node.span };
      }
      case 'range':
        return this.range(node, prefix);
      case 'is':
        return this.is(node.field, node.value, prefix, node.span);
    }
  }

  private is(field: KueryLiteral | null, value: KueryLiteral, prefix: string, span: Span): Expr {
    const name = prefix + (field === null ? '*' : literalText(field));
    if (isLoneWildcard(value)) return name === '*' ? always : this.fields.exists(name, span);
    if (value.parts.length > 1) {
      this.remarkQuestionMark(value);
      return this.fields.wildcard(name, globOf(value.parts), value.span);
    }
    const text = literalText(value);
    if (text === 'null' && !value.quoted) this.refuseNull(value.span);
    return this.fields.equals(name, text, value.quoted, value.span);
  }

  private range(node: KueryNode & { kind: 'range' }, prefix: string): Expr {
    if (node.value.parts.length > 1) {
      this.report(node.value.span, {
        code: 'KQL_RANGE',
        message: `"${node.op}" takes one bound, and a wildcard is none`,
        remedy: 'Write the bound, or quote it if the * is part of it.',
      });
    }
    return this.fields.range(prefix + literalText(node.field), node.op, literalText(node.value), node.span);
  }

  private refuseNull(span: Span): void {
    this.report(span, {
      code: 'KQL_NULL',
      message: 'no field has the value null',
      remedy: 'Write `not field: *` for a missing field, or "null" in quotes for that text.',
    });
  }

  private remarkQuestionMark(value: KueryLiteral): void {
    const source = value.parts.some((part) => part.includes('?'));
    if (!source) return;
    this.report(value.span, {
      code: 'KQL_QUESTION_MARK',
      severity: 'info',
      message: 'in KQL only * is a wildcard; this ? matches a question mark',
      remedy: 'Write * where any character may stand.',
    });
  }
}
