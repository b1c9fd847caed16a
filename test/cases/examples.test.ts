/** The example events: what is committed is what the generator writes, and the shipped rules find what is in it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { exampleFiles } from '../../examples/generate.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import { elasticContentRule, shippedRule } from '../support/content.js';

const folder = new URL('../../examples/events/', import.meta.url).pathname;

test.each([...exampleFiles()])('%s is as the generator writes it', (name, text) => {
  expect(readFileSync(`${folder}${name}`, 'utf8')).toBe(text);
});

/** Rule, host and severity of each detection's last revision, in order of first publication. */
async function detections(name: string): Promise<string[]> {
  const rules = [...behaviorRules.map(shippedRule), elasticContentRule('persistence_python_launch_item')];
  const correlator = await createCorrelator({ rules });
  const alerts = [...correlator.push(readFileSync(`${folder}${name}`)), ...correlator.flush()];
  correlator.close();
  const last = new Map(alerts.map((alert) => [alert.id, alert]));
  return [...last.values()].map((alert) => `${alert.rule.id} ${alert.host?.name} ${alert.rule.severity}`).sort();
}

const behaviorRules = ['AN0172', 'AN0173', 'AN0174', 'AN0175'];

test('three attacks on the Macs are found, and nothing else', async () => {
  expect(await detections('macos.ndjson')).toEqual([
    '25368123-b7b8-4344-9fd4-df28051b4c6e mac-fin-02 medium',
    'AN0173 mac-dev-01 critical',
    'AN0173 mac-fin-02 critical',
    'AN0173 mac-lab-03 medium',
  ]);
});

test('two attacks on the web server are found, and nothing else', async () => {
  expect(await detections('linux.ndjson')).toEqual(['AN0174 web-01 critical', 'AN0174 web-01 high']);
});

test('the macro on the workstation is found, and nothing else', async () => {
  expect(await detections('windows.ndjson')).toEqual(['AN0172 WS-DANA critical']);
});

test('the encryptor on the hypervisor is found, and the administrator is not', async () => {
  expect(await detections('esxi.ndjson')).toEqual(['AN0175 esx-07 critical']);
});
