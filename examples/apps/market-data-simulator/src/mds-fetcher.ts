// Collects: polls the Binance REST service, sums up the last rounds of each symbol and prints a line each round.
// The REST service may come later or go away; the next round tries again.
//
//   GET /summary   the last price, mean, lowest and highest of each symbol

import type { Ticker } from './mds-rest-binance.js';
import { integer, text } from '../../shared/environment.js';
import { fetchJson, reason } from '../../shared/fetch-json.js';
import { startService } from '../../shared/service.js';

export interface Summary {
  last: number;
  mean: number;
  low: number;
  high: number;
  rounds: number;
}

const binance = text('BINANCE_URL', 'http://127.0.0.1:3002');
const interval = integer('INTERVAL_MS', 1000);
const windowSize = integer('WINDOW', 60);
const prices = new Map<string, number[]>();
let round = 0;

const service = await startService({
  name: 'mds-fetcher',
  port: integer('PORT', 3004),
  routes: { 'GET /summary': () => ({ body: summaries() }) },
});

service.every(interval, async () => {
  round += 1;
  try {
    const { body: tickers } = await fetchJson<Ticker[]>(`${binance}/ticker`);
    for (const { symbol, price } of tickers) {
      prices.set(symbol, [...(prices.get(symbol) ?? []), price].slice(-windowSize));
    }
    service.log.info(`round ${round}: ${Object.entries(summaries()).map(describe).join(', ')}`);
  } catch (error) {
    service.log.warn(`round ${round}: no answer from ${binance}: ${reason(error)}`, { next_try_ms: interval });
  }
});

function summaries(): Record<string, Summary> {
  return Object.fromEntries([...prices].map(([symbol, values]) => [symbol, summary(values)]));
}

function summary(values: number[]): Summary {
  const total = values.reduce((sum, value) => sum + value, 0);
  return {
    last: values.at(-1) ?? NaN,
    mean: Number((total / values.length).toFixed(2)),
    low: Math.min(...values),
    high: Math.max(...values),
    rounds: values.length,
  };
}

function describe([symbol, { last, mean }]: [string, Summary]): string {
  return `${symbol} ${last} (mean ${mean})`;
}
