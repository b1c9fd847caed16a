import { RE2JS } from 're2js';
import type { Span } from '../../core/diagnostic.js';
import { nearestName } from '../../core/nearest_name.js';
import { type FunctionSignature, findFunction } from '../../rule/functions.js';
import type { CaseMode, Expr, LiteralExpr } from '../../rule/ir.js';
import { parseBlock } from '../../rule/semantics.js';
import type { CallNode, CompareOperator, Node } from './ast.js';
import { canonicalFunctionName } from './dialect.js';
import { fold } from './fold.js';
import { either, isText, type LoweringContext, type Scope, wildcardPattern } from './lowering.js';
import type { StaticType } from './types.js';

/** What the calls need from the lowering of expressions. */
export interface Operands {
  value(node: Node, scope: Scope): Expr;
  condition(node: Node, scope: Scope): Expr;
}

const arithmeticOperators: Readonly<Record<string, '+' | '-' | '*' | '/' | '%'>> = {
  add: '+',
  subtract: '-',
  multiply: '*',
  divide: '/',
  modulo: '%',
};
const textParts: Readonly<Record<string, 'prefix' | 'suffix' | 'contains'>> = {
  startsWith: 'prefix',
  endsWith: 'suffix',
  stringContains: 'contains',
};

/** Lowers calls: checks name, case form, count and types of arguments, and turns sugar into the IR's own nodes. */
export class CallLowering {
  private readonly context: LoweringContext;
  private readonly operands: Operands;

  constructor(context: LoweringContext, operands: Operands) {
    this.context = context;
    this.operands = operands;
  }

  lower(node: CallNode, scope: Scope): Expr {
    const signature = this.signature(node);
    if (signature === undefined) return this.arguments(node, scope);
    const isNested = signature.form === 'nested';
    const isFaulty = node.args.some((arg) => arg.kind === 'fault');
    if (!isFaulty && !this.checkCount(node, signature)) return isNested ? nothing(node) : this.arguments(node, scope);
    if (isNested) return node.args.length === 3 ? this.nested(node, signature, scope, undefined) : nothing(node);
    if (isFaulty) return this.arguments(node, scope);
    const args = node.args.map((arg) => this.operands.value(arg, scope));
    if (!this.checkArguments(node, signature, args)) return nothing(node);
    return this.build(node, signature, args);
  }

  /** Whether a node calls the function that counts array elements. */
  isCount(node: Node): node is CallNode {
    return node.kind === 'call' && canonicalFunctionName(node.name) === 'arraycount' && node.args.length === 3;
  }

  /** `arrayCount(array, variable, condition)` compared with a number. */
  count(node: CallNode, op: CompareOperator, value: number, scope: Scope): Expr {
    const signature = this.signature(node);
    if (signature === undefined) return this.arguments(node, scope);
    return this.nested(node, signature, scope, { op, value });
  }

  /** Lowers the arguments of a faulty call for the problems in them. */
  private arguments(node: CallNode, scope: Scope): LiteralExpr {
    for (const arg of node.args) this.operands.value(arg, scope);
    return { kind: 'literal', value: null, span: node.span };
  }

  // ------------------------------------------------------------------------------------------------ checks

  private signature(node: CallNode): FunctionSignature | undefined {
    const { traits } = this.context;
    const known = findFunction(canonicalFunctionName(node.name));
    if (known === undefined || !traits.functions.has(node.name.toLowerCase())) {
      this.unknown(node, known);
      return undefined;
    }
    if (node.fold && !known.folds) {
      this.context.fault(
        node.nameSpan,
        'EQL_FUNCTION',
        `${known.name} has no case-insensitive form`,
        `Write ${known.name} without "~".`,
      );
      return undefined;
    }
    return known;
  }

  private unknown(node: CallNode, known: FunctionSignature | undefined): void {
    const { traits } = this.context;
    const names = [...traits.functions].map((name) => findFunction(name)?.name ?? name);
    if (known !== undefined) {
      const remedy = legacyRemedies[known.name] ?? 'Choose the endpoint dialect.';
      const message = `the ${traits.name} dialect has no function ${known.name}`;
      this.context.fault(node.nameSpan, 'EQL_FUNCTION', message, remedy);
      return;
    }
    const near = nearestName(node.name, names);
    const remedy = near === undefined ? `The functions are ${names.join(', ')}.` : `Did you mean ${near}?`;
    this.context.fault(node.nameSpan, 'EQL_FUNCTION', `there is no function ${node.name}`, remedy, names);
  }

  private checkCount(node: CallNode, signature: FunctionSignature): boolean {
    const { parameters, variadic } = signature;
    const needsStart = signature.name === 'substring' && !this.context.traits.legacySyntax;
    const least = needsStart ? 2 : parameters.filter((parameter) => parameter.optional !== true).length;
    const most = variadic === true ? Number.POSITIVE_INFINITY : parameters.length;
    const count = node.args.length;
    if (count >= least && count <= most) return true;
    const wanted = most === least ? `${least}` : most > 100 ? `at least ${least}` : `${least} to ${most}`;
    const names = parameters.map((parameter) => (parameter.optional === true ? `[${parameter.name}]` : parameter.name));
    this.context.fault(
      node.span,
      'EQL_ARGUMENTS',
      `${signature.name} takes ${wanted} ${wanted === '1' ? 'argument' : 'arguments'}, not ${count}`,
      `Write ${signature.name}(${names.join(', ')}${variadic === true ? ', …' : ''}).`,
    );
    return false;
  }

  private checkArguments(node: CallNode, signature: FunctionSignature, args: readonly Expr[]): boolean {
    let isGood = true;
    args.forEach((arg, i) => {
      const parameter = signature.parameters[Math.min(i, signature.parameters.length - 1)];
      const span = (node.args[i] as Node).span;
      if (parameter === undefined) return;
      const isConstant = parameter.constant !== true || arg.kind === 'literal';
      const wanted: StaticType = ['string', 'number', 'boolean'].includes(parameter.type)
        ? (parameter.type as StaticType)
        : 'unknown';
      if (!this.context.checkType(arg, wanted, span, `the ${parameter.name} of ${signature.name}`)) isGood = false;
      else if (!isConstant) {
        isGood = false;
        const message = `the ${parameter.name} of ${signature.name} must be a constant`;
        this.context.fault(span, 'EQL_CONSTANT', message, 'Write the text itself, in double quotes.');
      }
    });
    return isGood;
  }

  // ---------------------------------------------------------------------------------------------- building

  private build(node: CallNode, signature: FunctionSignature, args: readonly Expr[]): Expr {
    const { name } = signature;
    const { span } = node;
    const mode: CaseMode = node.fold ? 'ascii' : signature.folds ? this.context.textCase : 'exact';
    const [first, second] = args as [Expr, Expr];
    if (signature.form !== 'kernel' && name !== 'arrayContains' && args.slice(1).some(isNullLiteral))
      return nothing(node);
    const op = arithmeticOperators[name];
    if (op !== undefined) return fold({ kind: 'arithmetic', op, left: first, right: second, span });
    const part = textParts[name];
    if (part !== undefined && isText(second) && first.kind !== 'literal') {
      return { kind: 'match', value: first, patterns: [{ type: part, text: second.value }], case: mode, span };
    }
    if (name === 'safe') return first;
    if (signature.form === 'cidr') return this.cidr(node, args);
    if (signature.form === 'regex') return this.regex(node, args, mode);
    if (name === 'wildcard') return this.wildcard(first, args.slice(1), mode, span);
    if (name === 'arrayContains') return this.contains(first, args.slice(1), mode, node);
    return fold({ kind: 'call', name, args, case: mode, span });
  }

  private cidr(node: CallNode, [value, ...blocks]: readonly Expr[]): Expr {
    const texts: string[] = [];
    blocks.forEach((block, i) => {
      const span = (node.args[i + 1] as Node).span;
      if (isText(block) && parseBlock(block.value) !== undefined) texts.push(block.value);
      else {
        const shown = block.kind === 'literal' ? JSON.stringify(block.value) : 'this';
        this.context.fault(
          span,
          'EQL_CIDR',
          `${shown} is no address block`,
          'Write an address and a prefix length: "10.0.0.0/8" or "fe80::/10".',
        );
      }
    });
    if (texts.length < blocks.length) return { kind: 'literal', value: null, span: node.span };
    return fold({ kind: 'cidr', value: value as Expr, blocks: texts, span: node.span });
  }

  /** Python's `re.match`: at the start of the text, not to its end. */
  private regex(node: CallNode, [value, ...patterns]: readonly Expr[], mode: CaseMode): Expr {
    const texts: string[] = [];
    patterns.forEach((pattern, i) => {
      const span = (node.args[i + 1] as Node).span;
      if (!isText(pattern)) {
        this.context.fault(span, 'EQL_CONSTANT', 'a pattern must be text', 'Write the pattern as a string.');
        return;
      }
      try {
        RE2JS.compile(pattern.value);
        texts.push(`(?s)(?:${pattern.value})(?s:.*)`);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.context.fault(
          span,
          'EQL_REGEX',
          `the pattern cannot be used: ${reason}`,
          'Write it in RE2 syntax: no lookaround, no back references.',
        );
      }
    });
    if (texts.length < patterns.length) return { kind: 'literal', value: null, span: node.span };
    return fold({ kind: 'regex', value: value as Expr, patterns: texts, case: mode, anchor: 'full', span: node.span });
  }

  private wildcard(value: Expr, patterns: readonly Expr[], mode: CaseMode, span: Span): Expr {
    const texts = patterns.filter(isText).map((pattern) => pattern.value);
    if (texts.length < patterns.length) return { kind: 'literal', value: null, span };
    return fold(wildcards(value, texts, mode, this.context.traits.legacySyntax, span));
  }

  private contains(array: Expr, values: readonly Expr[], mode: CaseMode, node: CallNode): Expr {
    const { span } = node;
    if (!this.checkArray(array, node)) return { kind: 'literal', value: null, span };
    const texts = values.filter(isText).map((value) => value.value);
    const others = values.filter((value) => !isText(value));
    const operands: Expr[] = others.map((right) => ({
      kind: 'compare',
      op: '==',
      left: array,
      right,
      case: mode,
      span,
    }));
    const patterns = texts.map((text) => ({ type: 'equals', text }) as const);
    if (patterns.length > 0) operands.unshift({ kind: 'match', value: array, patterns, case: mode, span });
    return either(operands, span);
  }

  private checkArray(array: Expr, node: CallNode): array is Extract<Expr, { kind: 'field' }> {
    if (array.kind === 'field') return true;
    const span = (node.args[0] as Node).span;
    this.context.fault(
      span,
      'EQL_ARGUMENTS',
      `the first argument of ${node.name} must be a field`,
      'Name the field that holds the array.',
    );
    return false;
  }

  private nested(
    node: CallNode,
    signature: FunctionSignature,
    scope: Scope,
    count: { op: CompareOperator; value: number } | undefined,
  ): Expr {
    const { span } = node;
    const [arrayNode, variableNode, conditionNode] = node.args as [Node, Node, Node];
    const array = this.operands.value(arrayNode, scope);
    const variable = this.variable(variableNode);
    if (!this.checkArray(array, node) || variable === undefined) return { kind: 'literal', value: null, span };
    this.context.arrayPaths.add(array.name);
    const variables = new Map([...scope.variables, [variable, array.name]]);
    const condition = this.operands.condition(conditionNode, { ...scope, variables });
    // What is true of no element is found in no array, however many elements it has.
    const isNever = condition.kind === 'literal' && condition.value !== true;
    if (signature.name === 'arraySearch' && isNever) return { kind: 'literal', value: false, span };
    if (signature.name === 'arraySearch') return { kind: 'nested', path: array.name, condition, span };
    if (count !== undefined) return { kind: 'nested', path: array.name, condition, count, span };
    const remedy = 'Write arrayCount(array, variable, condition) >= 2.';
    return this.context.fault(span, 'EQL_ARRAY_COUNT', 'arrayCount is compared with no constant number', remedy);
  }

  private variable(node: Node): string | undefined {
    const isVariable = node.kind === 'field' && node.path.length === 1 && !node.optional;
    const part = isVariable ? node.path[0] : undefined;
    const wantsDollar = this.context.traits.aliases;
    if (part !== undefined && 'name' in part && (node as { variable?: boolean }).variable === wantsDollar)
      return part.name;
    const example = wantsDollar ? '$entry' : 'item';
    this.context.fault(
      node.span,
      'EQL_VARIABLE',
      'the second argument must be a variable',
      `Write a name such as ${example}.`,
    );
    return undefined;
  }
}

function nothing(node: CallNode): LiteralExpr {
  return { kind: 'literal', value: null, span: node.span };
}

const isNullLiteral = (expr: Expr): boolean => expr.kind === 'literal' && expr.value === null;

const legacyRemedies: Readonly<Record<string, string>> = {
  wildcard: 'Write field : ("*a*", "*b*"), or like to respect case.',
  match: 'Write field regex """pattern""".',
  matchLite: 'Write field regex """pattern""".',
  safe: 'Leave safe() out; a missing value is null.',
};

/** True when the text satisfies any wildcard. In the legacy syntax only `*` is one; `?` is a question mark. */
export function wildcards(value: Expr, texts: readonly string[], mode: CaseMode, legacy: boolean, span: Span): Expr {
  const isMixed = (text: string): boolean => legacy && text.includes('?') && text.includes('*');
  const plain = texts.filter((text) => !isMixed(text));
  const operands: Expr[] = texts.filter(isMixed).map((text) => {
    const pattern = text
      .split('*')
      .map((part) => RE2JS.quote(part))
      .join('.*');
    return { kind: 'regex', value, patterns: [`(?s)${pattern}`], case: mode, anchor: 'full', span };
  });
  if (plain.length > 0) {
    const patterns = plain.map((text) =>
      legacy && !text.includes('*') ? ({ type: 'equals', text } as const) : wildcardPattern(text),
    );
    operands.unshift({ kind: 'match', value, patterns, case: mode, span });
  }
  return either(operands, span);
}
