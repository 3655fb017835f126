// Watches the others: asks each target's /health on an interval and prints one JSON line for each answer.
// TARGETS is a list of name=url, separated by commas.
//
//   GET /checks   the last result of each target

import { integer, list } from '../../shared/environment.js';
import { fetchJson, reason } from '../../shared/fetch-json.js';
import { jsonLog } from '../../shared/log.js';
import { startService } from '../../shared/service.js';

interface Target {
  name: string;
  url: string;
}

interface Check {
  up: boolean;
  ms: number;
  pid?: number;
  uptime?: number;
  reason?: string;
}

const targets = list('TARGETS', 'mds-rest-binance=http://127.0.0.1:3002').map(parseTarget);
const checks = new Map<string, Check>();

const service = await startService({
  name: 'monitoring',
  port: integer('PORT', 3005),
  routes: { 'GET /checks': () => ({ body: Object.fromEntries(checks) }) },
  log: jsonLog,
});

service.every(integer('INTERVAL_MS', 1000), async () => {
  await Promise.all(targets.map(report));
});

async function report(target: Target) {
  const result = await check(target);
  checks.set(target.name, result);
  if (result.up) service.log.info('check', { target: target.name, ...result });
  else service.log.warn('check', { target: target.name, ...result });
}

async function check({ url }: Target): Promise<Check> {
  const started = performance.now();
  const elapsed = () => Math.round(performance.now() - started);
  try {
    const { body } = await fetchJson<{ pid: number; uptime: number }>(`${url}/health`);
    return { up: true, ms: elapsed(), pid: body.pid, uptime: body.uptime };
  } catch (error) {
    return { up: false, ms: elapsed(), reason: reason(error) };
  }
}

function parseTarget(text: string): Target {
  const [name, url] = text.split('=', 2);
  if (!name || !url || !URL.canParse(url)) throw new Error(`TARGETS: expected name=url, found '${text}'`);
  return { name, url };
}
