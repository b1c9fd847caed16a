import { readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../core/errors.js';
import { type ParsedRules, type ParseRulesOptions, parseRuleTexts, type RuleText } from '../language/load.js';

const ruleFile = /\.(?:toml|ndjson|jsonl|json|eql|kql|kuery|ya?ml)$/i;

/**
 * Reads rules from files and folders. A folder stands for the rule files below it, in name order: .toml .ndjson .json
 * .eql .kql .yml .yaml; names that begin with a dot are left out. All files together are one set.
 * @throws UsageError `INPUT_UNREADABLE` for a path that cannot be read or a folder without rule files.
 */
export async function loadRules(
  paths: string | readonly string[],
  options: Omit<ParseRulesOptions, 'file'> = {},
): Promise<ParsedRules> {
  const files: string[] = [];
  for (const path of typeof paths === 'string' ? [paths] : paths) {
    const found = await filesAt(path);
    if (found.length === 0) throw unreadable(path, 'no rule files (.toml, .ndjson, .json, .eql, .kql, .yml, .yaml)');
    files.push(...found);
  }
  const included = new Set<string>();
  const texts: RuleText[] = [];
  for (const file of new Set(files)) {
    const text = await readFile(file, 'utf8').catch((error: Error) => Promise.reject(unreadable(file, error.message)));
    texts.push({ text, file, include: (path) => readIncluded(join(dirname(file), path), included) });
  }
  const { rules, problems } = parseRuleTexts(texts, options);
  const isList = (file: string | undefined): boolean => file !== undefined && included.has(resolve(file));
  return { rules, problems: problems.filter(({ code, file }) => code !== 'RULE_LANGUAGE_UNKNOWN' || !isList(file)) };
}

/** A file that a rule includes; it is data of that rule, not a rule file of its own. */
function readIncluded(file: string, included: Set<string>): { text: string; file: string } | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    included.add(resolve(file));
    return { text, file };
  } catch {
    return undefined;
  }
}

async function filesAt(path: string): Promise<string[]> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error.code === 'ENOENT' ? 'no such file or folder' : error.message);
  });
  if (!info.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const below = entries
    .filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || ruleFile.test(entry.name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((entry) => (entry.isDirectory() ? filesAt(join(path, entry.name)) : [join(path, entry.name)]));
  return (await Promise.all(below)).flat();
}

function unreadable(path: string, reason: string): UsageError {
  return new UsageError('INPUT_UNREADABLE', `${path}: ${reason}`);
}
