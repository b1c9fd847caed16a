import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
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
  const texts: RuleText[] = [];
  for (const file of new Set(files)) {
    texts.push({
      file,
      text: await readFile(file, 'utf8').catch((error: Error) => Promise.reject(unreadable(file, error.message))),
    });
  }
  return parseRuleTexts(texts, options);
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
