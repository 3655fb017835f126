// The door for users: serves what the other services know. Kraken's ticks are pushed to it, the rest it asks for.
//
//   GET  /prices             Kraken's last tick and the fetcher's summary of Binance
//   GET  /forecast           what prediction-model expects
//   GET  /status             this instance, its subscription, and what monitoring saw last
//   POST /webhooks/kraken    for the simulator

import type { KrakenTick } from '../../market-data-simulator/src/mds-webhooks-kraken.js';
import { integer, text } from '../../shared/environment.js';
import { fetchJson, reason } from '../../shared/fetch-json.js';
import { BadRequest, type Reply, startService } from '../../shared/service.js';

const kraken = text('KRAKEN_URL', 'http://127.0.0.1:3001');
const fetcher = text('FETCHER_URL', 'http://127.0.0.1:3004');
const prediction = text('PREDICTION_URL', 'http://127.0.0.1:3003');
const monitoring = text('MONITORING_URL', 'http://127.0.0.1:3005');

let subscribed = false;
let lastTick: KrakenTick | undefined;
let ticks = 0;

const service = await startService({
  name: 'public-api',
  port: integer('PORT', 3000),
  routes: {
    'GET /prices': async () => ({
      body: { kraken: lastTick ?? null, binance: await known(`${fetcher}/summary`) },
    }),
    'GET /forecast': async (): Promise<Reply> => {
      const forecast = await known(`${prediction}/forecast`);
      return forecast ? { body: forecast } : { status: 503, body: { error: 'prediction-model does not answer' } };
    },
    'GET /status': async () => ({
      body: {
        instance: integer('NODE_APP_INSTANCE', 0),
        environment: text('NODE_ENV', 'development'),
        subscribed,
        ticks,
        checks: await known(`${monitoring}/checks`),
      },
    }),
    'POST /webhooks/kraken': ({ body }) => {
      if ((body as KrakenTick | undefined)?.source !== 'kraken') throw new BadRequest('expected a tick of kraken');
      lastTick = body as KrakenTick;
      ticks += 1;
      return { body: { received: lastTick.sequence } };
    },
  },
});
const { log } = service;
const subscription = { url: `${service.url}/webhooks/kraken` };

// Subscribing again is harmless, and repairs the subscription after the simulator was restarted.
service.every(integer('INTERVAL_MS', 1000), async () => {
  try {
    const { status } = await fetchJson(`${kraken}/subscriptions`, { method: 'POST', body: subscription });
    if (status === 201) log.info(`subscribed to ${kraken}`);
    subscribed = true;
  } catch (error) {
    if (subscribed) log.warn(`lost ${kraken}`);
    subscribed = false;
    log.warn(`cannot subscribe to ${kraken}: ${reason(error)}, trying again`);
  }
  if (lastTick) log.info(`kraken tick ${lastTick.sequence}`, { ...lastTick.prices, received: ticks });
});

service.onStop(() => fetchJson(`${kraken}/subscriptions`, { method: 'DELETE', body: subscription, timeoutMs: 300 }));

/** The answer of another service, or null while it does not answer. */
async function known(url: string): Promise<unknown> {
  try {
    return (await fetchJson(url)).body;
  } catch (error) {
    log.warn(`no answer from ${url}: ${reason(error)}`);
    return null;
  }
}
