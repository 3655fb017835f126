// Plays Kraken: posts simulated ticks to everyone who has subscribed with a webhook.
//
//   GET    /subscriptions          who is subscribed
//   POST   /subscriptions {url}    subscribe: 201, or 200 if the url is known already
//   DELETE /subscriptions {url}    unsubscribe

import { integer } from '../../shared/environment.js';
import { fetchJson, reason } from '../../shared/fetch-json.js';
import { RandomWalk } from '../../shared/random-walk.js';
import { BadRequest, startService } from '../../shared/service.js';

const MAX_FAILURES = 5;

export interface KrakenTick {
  source: 'kraken';
  sequence: number;
  time: string;
  prices: Record<string, number>;
}

const seed = integer('SEED', 1);
const markets = new Map([
  ['BTC/USD', new RandomWalk(60_000, seed)],
  ['ETH/USD', new RandomWalk(3_000, seed + 1)],
]);
/** Failed deliveries in a row, by the subscriber's url. */
const subscriptions = new Map<string, number>();
let sequence = 0;

const service = await startService({
  name: 'mds-webhooks-kraken',
  port: integer('PORT', 3001),
  routes: {
    'GET /subscriptions': () => ({ body: { subscriptions: [...subscriptions.keys()] } }),
    'POST /subscriptions': ({ body }) => {
      const url = webhookUrl(body);
      const known = subscriptions.has(url);
      subscriptions.set(url, 0);
      if (!known) log.info(`subscribed ${url}`);
      return { status: known ? 200 : 201, body: { url } };
    },
    'DELETE /subscriptions': ({ body }) => {
      const url = webhookUrl(body);
      if (!subscriptions.delete(url)) return { status: 404, body: { error: `${url} is not subscribed` } };
      log.info(`unsubscribed ${url}`);
      return { body: { url } };
    },
  },
});
const { log } = service;

service.every(integer('INTERVAL_MS', 1000), () => {
  const prices = Object.fromEntries([...markets].map(([symbol, walk]) => [symbol, walk.step()]));
  const tick: KrakenTick = { source: 'kraken', sequence: ++sequence, time: new Date().toISOString(), prices };
  log.info(`tick ${sequence}`, { ...prices, subscribers: subscriptions.size });
  // Not awaited: a slow subscriber must not hold up the market.
  for (const url of subscriptions.keys()) void deliver(url, tick);
});

async function deliver(url: string, tick: KrakenTick) {
  try {
    await fetchJson(url, { method: 'POST', body: tick });
    if (subscriptions.has(url)) subscriptions.set(url, 0);
  } catch (error) {
    const failures = (subscriptions.get(url) ?? 0) + 1;
    log.warn(`no delivery to ${url}: ${reason(error)}`, { failures });
    if (failures >= MAX_FAILURES) subscriptions.delete(url);
    else if (subscriptions.has(url)) subscriptions.set(url, failures);
  }
}

function webhookUrl(body: unknown): string {
  const url = (body as { url?: unknown } | undefined)?.url;
  if (typeof url !== 'string' || !/^https?:/.test(url) || !URL.canParse(url)) {
    throw new BadRequest('expected {"url": "http://…"}');
  }
  return url;
}
