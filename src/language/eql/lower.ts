import type { Span } from '../../core/diagnostic.js';
import type { CaseMode, EventQuery, Expr, LiteralExpr } from '../../rule/ir.js';
import type { CompareOperator, EventFilter, Node } from './ast.js';
import { CallLowering, wildcards } from './calls.js';
import { fold } from './fold.js';
import {
  either,
  emptyScope,
  isLiteral,
  isNull,
  isText,
  type LoweringContext,
  lowerField,
  negate,
  type Scope,
  wildcardPattern,
} from './lowering.js';
import { type RegexResult, translateLucene } from './lucene_regex.js';
import { typedComparison } from './typed_fields.js';
import { typeOf } from './types.js';

type Of<K extends Node['kind']> = Extract<Node, { kind: K }>;

const mirrored: Readonly<Record<CompareOperator, CompareOperator>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** Lowers syntax to IR: types are checked, constants folded, and what the dialect makes of each operator is spelled out. */
export class Lowering {
  private readonly context: LoweringContext;
  private readonly calls: CallLowering;

  constructor(context: LoweringContext) {
    this.context = context;
    this.calls = new CallLowering(context, this);
  }

  filter(filter: EventFilter, scope: Scope = emptyScope): EventQuery {
    return { category: filter.category, condition: this.condition(filter.condition, scope), span: filter.span };
  }

  /** An expression as a truth. A field stands for `field == true`; in the legacy syntax for "has a value that counts". */
  condition(node: Node, scope: Scope): Expr {
    const expr = this.value(node, scope);
    const type = typeOf(expr);
    if (type === 'boolean' || type === 'null' || node.kind === 'fault') return expr;
    if (this.context.traits.legacySyntax) return this.truthy(expr, node);
    if (type !== 'unknown') {
      this.context.checkType(expr, 'boolean', node.span, 'a condition');
      return { kind: 'literal', value: null, span: node.span };
    }
    const right: Expr = { kind: 'literal', value: true };
    return { kind: 'compare', op: '==', left: expr, right, case: 'exact', span: node.span };
  }

  /** An expression as a value. */
  value(node: Node, scope: Scope): Expr {
    switch (node.kind) {
      case 'literal':
        return node;
      case 'field':
        return lowerField(node, scope, this.context);
      case 'sign':
        return this.sign(node, scope);
      case 'arithmetic':
        return this.arithmetic(node, scope);
      case 'compare':
        return this.compare(node, scope);
      case 'pattern':
        return this.pattern(node, scope);
      case 'in':
        return this.inList(node, scope);
      case 'not':
        return negate(this.condition(node.operand, scope), node.span);
      case 'and':
      case 'or':
        return fold({
          kind: node.kind,
          operands: node.operands.map((operand) => this.condition(operand, scope)),
          span: node.span,
        });
      case 'call':
        return this.calls.lower(node, scope);
      case 'relation':
        return { kind: 'lineage', relation: node.relation, query: this.filter(node.filter), span: node.span };
      case 'fault':
        for (const part of node.parts ?? []) this.value(part, scope);
        return nothing(node);
    }
  }

  // ---------------------------------------------------------------------------------------------- numbers

  private sign(node: Of<'sign'>, scope: Scope): Expr {
    const operand = this.value(node.operand, scope);
    if (!this.context.checkType(operand, 'number', node.operand.span, `"${node.op}"`)) return nothing(node);
    if (node.op === '+') return operand;
    const zero: Expr = { kind: 'literal', value: 0 };
    return fold({ kind: 'arithmetic', op: '-', left: zero, right: operand, span: node.span });
  }

  private arithmetic(node: Of<'arithmetic'>, scope: Scope): Expr {
    const left = this.value(node.left, scope);
    const right = this.value(node.right, scope);
    const isLeftGood = this.context.checkType(left, 'number', node.left.span, `"${node.op}"`);
    const isRightGood = this.context.checkType(right, 'number', node.right.span, `"${node.op}"`);
    if (!isLeftGood || !isRightGood) return nothing(node);
    return fold({ kind: 'arithmetic', op: node.op, left, right, span: node.span });
  }

  // ------------------------------------------------------------------------------------------- comparison

  private compare(node: Of<'compare'>, scope: Scope): Expr {
    const counted = this.countComparison(node, scope);
    if (counted !== undefined) return counted;
    const left = this.value(node.left, scope);
    const right = this.value(node.right, scope);
    if (isLiteral(left) && !isLiteral(right)) return this.compareWith(node, right, mirrored[node.op], left);
    return this.compareWith(node, left, node.op, right);
  }

  /** `arrayCount(…)` beside a number, on either side. */
  private countComparison(node: Of<'compare'>, scope: Scope): Expr | undefined {
    const isLeft = this.calls.isCount(node.left);
    const call = isLeft ? node.left : node.right;
    if (!this.calls.isCount(call)) return undefined;
    const other = this.value(isLeft ? node.right : node.left, scope);
    if (!isLiteral(other) || typeof other.value !== 'number') return undefined;
    return this.calls.count(call, isLeft ? node.op : mirrored[node.op], other.value, scope);
  }

  private compareWith(node: Of<'compare'>, left: Expr, op: CompareOperator, right: Expr): Expr {
    const { span } = node;
    const isEquality = op === '==' || op === '!=';
    if (isLiteral(right) && right.value === null) {
      if (!isEquality) return { kind: 'literal', value: null, span };
      return op === '==' ? isNull(left, span) : negate(isNull(left, span), span);
    }
    if (isLiteral(left) && left.value === null) {
      return isEquality ? { kind: 'literal', value: op === '!=', span } : { kind: 'literal', value: null, span };
    }
    if (!this.context.checkComparable(left, right, span)) return nothing(node);
    if (!isLiteral(right) && !this.context.traits.fieldComparison) return this.fieldComparison(node);
    const typed = isLiteral(right) ? this.typed(left, op, right, span) : undefined;
    if (typed !== undefined) return typed;
    if (isText(right) && isEquality) {
      const match = this.equals(left, right.value, this.context.textCase, node);
      return op === '==' ? match : negate(match, span);
    }
    if (typeOf(left) === 'boolean' && isLiteral(right) && isEquality) {
      return (op === '==') === right.value ? left : negate(left, span);
    }
    return fold({ kind: 'compare', op, left, right, case: this.context.textCase, span });
  }

  /** The legacy syntax has no types of fields. */
  private typed(left: Expr, op: CompareOperator, right: LiteralExpr, span: Span): Expr | undefined {
    return this.context.traits.legacySyntax
      ? undefined
      : typedComparison(left, op, right, this.context.fieldTypes, span);
  }

  private equals(value: Expr, text: string, mode: CaseMode, node: Node): Expr {
    if (this.context.traits.legacySyntax) return fold(wildcards(value, [text], mode, true, node.span));
    return fold({ kind: 'match', value, patterns: [{ type: 'equals', text }], case: mode, span: node.span });
  }

  private fieldComparison(node: Of<'compare'>): Expr {
    return this.context.fault(
      node.right.span,
      'EQL_FIELD_COMPARISON',
      `the ${this.context.traits.name} dialect compares a field with a constant, not with another field`,
      'Compare with a constant, or choose the endpoint dialect.',
    );
  }

  // ----------------------------------------------------------------------------------------- text patterns

  private pattern(node: Of<'pattern'>, scope: Scope): Expr {
    const { op, span } = node;
    const value = this.value(node.value, scope);
    let isGood = this.context.checkType(value, 'string', node.value.span, `"${op}"`);
    const texts: { text: string; node: Node }[] = [];
    for (const pattern of node.patterns) {
      const expr = this.value(pattern, scope);
      if (isText(expr)) texts.push({ text: expr.value, node: pattern });
      else {
        isGood = false;
        if (pattern.kind !== 'fault') this.notText(op, pattern);
      }
    }
    const mode: CaseMode = op === 'like' || op === 'regex' ? 'exact' : 'ascii';
    if (op === 'regex' || op === 'regex~') return this.regex(value, texts, mode, node, isGood);
    if (!isGood || texts.length === 0) return nothing(node);
    return fold({ kind: 'match', value, patterns: texts.map(({ text }) => wildcardPattern(text)), case: mode, span });
  }

  private notText(op: string, pattern: Node): void {
    const remedy =
      op === ':' ? 'Write text in double quotes; compare other values with ==.' : 'Write text in double quotes.';
    this.context.fault(pattern.span, 'EQL_TYPE', `"${op}" takes constant text`, remedy);
  }

  private regex(
    value: Expr,
    texts: readonly { text: string; node: Node }[],
    mode: CaseMode,
    node: Node,
    isGood: boolean,
  ): Expr {
    const patterns: string[] = [];
    for (const { text, node: at } of texts) {
      const result = translateLucene(text);
      if ('pattern' in result) patterns.push(result.pattern);
      this.regexProblem(result, at);
    }
    if (!isGood || patterns.length < texts.length || patterns.length === 0) return nothing(node);
    return fold({ kind: 'regex', value, patterns, case: mode, anchor: 'full', span: node.span });
  }

  private regexProblem(result: RegexResult, { span }: Node): void {
    if (!('pattern' in result)) {
      const { at, message, remedy } = result.problem;
      this.context.fault(
        span,
        'EQL_REGEX',
        `the regular expression has a fault at character ${at + 1}: ${message}`,
        remedy,
      );
    } else if (result.doubt !== undefined) {
      const { message, remedy } = result.doubt;
      this.context.problems.add(span, { code: 'EQL_REGEX_ANCHOR', severity: 'warning', message, remedy });
    }
  }

  private inList(node: Of<'in'>, scope: Scope): Expr {
    const { span } = node;
    const mode: CaseMode = node.fold ? 'ascii' : this.context.textCase;
    const left = this.value(node.value, scope);
    const operands: Expr[] = [];
    const texts: string[] = [];
    for (const itemNode of node.items) {
      const item = this.value(itemNode, scope);
      if (itemNode.kind === 'fault' || !this.context.checkComparable(left, item, itemNode.span)) continue;
      const typed = isLiteral(item) ? this.typed(left, '==', item, itemNode.span) : undefined;
      if (typed !== undefined) operands.push(typed);
      else if (isText(item)) texts.push(item.value);
      else if (isLiteral(item) && item.value === null) operands.push(item);
      else if (isLiteral(item) || this.context.traits.fieldComparison) {
        operands.push(fold({ kind: 'compare', op: '==', left, right: item, case: mode, span: itemNode.span }));
      } else this.context.fault(itemNode.span, 'EQL_CONSTANT', '"in" takes constants', 'Write the values themselves.');
    }
    if (texts.length > 0) {
      const patterns = texts.map((text) => ({ type: 'equals', text }) as const);
      operands.unshift(fold({ kind: 'match', value: left, patterns, case: mode, span }));
    }
    if (operands.length === 0) return nothing(node);
    const found = either(operands, span);
    return node.negated ? negate(found, span) : found;
  }

  // -------------------------------------------------------------------------------------------- truthiness

  /**
   * Python's truth of a value: not false, not 0, not empty text; missing is null. A field that the query uses as an
   * object is true when anything it names below it exists.
   */
  private truthy(expr: Expr, node: Node): Expr {
    const { span } = node;
    const type = typeOf(expr);
    const differs = (value: boolean | number | string): Expr => {
      const right: Expr = { kind: 'literal', value };
      return negate(fold({ kind: 'compare', op: '==', left: expr, right, case: 'exact', span }), span);
    };
    if (type === 'number') return differs(0);
    if (type === 'string') return differs('');
    const scalar: Expr = { kind: 'and', operands: [differs(false), differs(0), differs('')], span };
    return expr.kind === 'field' ? either([scalar, ...this.existence(expr.name, node)], span) : scalar;
  }

  private existence(name: string, node: Node): Expr[] {
    const { span } = node;
    const below = (path: string): boolean => path.startsWith(`${name}.`);
    this.context.asksNames = true;
    const arrays = [...this.context.arrayPaths].filter(below);
    const fields = [...this.context.fieldNames].filter(
      (field) => below(field) && !arrays.some((array) => field === array || field.startsWith(`${array}.`)),
    );
    return [
      ...fields.map((field) => negate(isNull({ kind: 'field', name: field, span }, span), span)),
      ...arrays.map((path): Expr => ({ kind: 'nested', path, condition: { kind: 'literal', value: true }, span })),
    ];
  }
}

function nothing(node: Node): Expr {
  return { kind: 'literal', value: null, span: node.span };
}
