/** What a conformance run says: one suite a file, and how many rules of each corpus compile. */

export type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly detail: string }
  | { readonly kind: 'skipped'; readonly reason: string };

export const passed: Outcome = { kind: 'passed' };
export const failed = (detail: string): Outcome => ({ kind: 'failed', detail });
export const skipped = (reason: string): Outcome => ({ kind: 'skipped', reason });

export interface SuiteReport {
  readonly name: string;
  readonly total: number;
  readonly passed: number;
  readonly failed: readonly { readonly id: string; readonly detail: string }[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}

export interface CorpusReport {
  readonly total: number;
  readonly compiled: number;
  readonly unsupported: readonly { readonly file: string; readonly reason: string }[];
}

export interface ConformanceReport {
  readonly engine: string;
  readonly suites: readonly SuiteReport[];
  readonly rules: Readonly<Record<string, CorpusReport>>;
}

export function summarize(
  name: string,
  outcomes: readonly { readonly id: string; readonly outcome: Outcome }[],
): SuiteReport {
  const failures: { id: string; detail: string }[] = [];
  const skips: { id: string; reason: string }[] = [];
  for (const { id, outcome } of outcomes) {
    if (outcome.kind === 'failed') failures.push({ id, detail: outcome.detail });
    if (outcome.kind === 'skipped') skips.push({ id, reason: outcome.reason });
  }
  const total = outcomes.length;
  return { name, total, passed: total - failures.length - skips.length, failed: failures, skipped: skips };
}

/** The report as the JSON that other tools read. */
export function toJson(report: ConformanceReport): string {
  const suites = report.suites.map((suite) => ({ ...suite, failed: suite.failed.map(({ id }) => id) }));
  return JSON.stringify({ engine: report.engine, suites, rules: report.rules });
}

const reasonsShown = 8;

/** The report for a reader: counts, every failure with its detail, skips by reason. */
export function toText(report: ConformanceReport): string {
  const lines = [`engine: ${report.engine}`];
  for (const suite of report.suites) {
    const counts = `${suite.passed} passed, ${suite.failed.length} failed, ${suite.skipped.length} skipped`;
    lines.push(`${suite.name.padEnd(32)} ${counts} of ${suite.total}`);
    for (const { id, detail } of suite.failed) lines.push(`  failed ${id}: ${detail}`);
    lines.push(...byReason(suite.skipped.map(({ reason }) => reason)).map((line) => `  skipped ${line}`));
  }
  for (const [name, corpus] of Object.entries(report.rules)) {
    lines.push(`${`rules: ${name}`.padEnd(32)} ${corpus.compiled} of ${corpus.total} compiled`);
    lines.push(...byReason(corpus.unsupported.map(({ reason }) => reason)).map((line) => `  unsupported ${line}`));
  }
  return lines.join('\n');
}

function byReason(reasons: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const shown = sorted.slice(0, reasonsShown).map(([reason, count]) => `${count}: ${reason}`);
  const rest = sorted.slice(reasonsShown).reduce((sum, [, count]) => sum + count, 0);
  return rest === 0 ? shown : [...shown, `${rest}: other reasons`];
}
