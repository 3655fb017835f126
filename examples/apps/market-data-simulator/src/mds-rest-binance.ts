// Plays Binance: answers questions about simulated prices over REST.
//
//   GET /ticker?symbol=BTCUSDT             the last price; without a symbol, all of them
//   GET /candles?symbol=BTCUSDT&limit=20   the last candles, oldest first

import { integer } from '../../shared/environment.js';
import { type Candle, RandomWalk } from '../../shared/random-walk.js';
import { BadRequest, startService } from '../../shared/service.js';

const HISTORY = 500;

export interface Ticker {
  symbol: string;
  price: number;
  time: string;
}

interface Market {
  walk: RandomWalk;
  candles: Candle[];
}

const seed = integer('SEED', 2);
const interval = integer('INTERVAL_MS', 1000);
const markets = new Map<string, Market>([
  ['BTCUSDT', openMarket(60_000, seed)],
  ['ETHUSDT', openMarket(3_000, seed + 1)],
  ['SOLUSDT', openMarket(150, seed + 2)],
]);

const service = await startService({
  name: 'mds-rest-binance',
  port: integer('PORT', 3002),
  routes: {
    'GET /ticker': ({ query }) => {
      if (!query.has('symbol')) return { body: [...markets.keys()].map(ticker) };
      return { body: ticker(knownSymbol(query)) };
    },
    'GET /candles': ({ query }) => {
      const symbol = knownSymbol(query);
      const limit = Number(query.get('limit') ?? 20);
      if (!Number.isInteger(limit) || limit < 1 || limit > HISTORY) {
        throw new BadRequest(`limit must be a whole number from 1 to ${HISTORY}`);
      }
      return { body: { symbol, candles: market(symbol).candles.slice(-limit) } };
    },
  },
});

service.every(interval, () => {
  for (const { walk, candles } of markets.values()) {
    candles.push(walk.candle(new Date()));
    candles.shift();
  }
  const prices = [...markets].map(([symbol, { walk }]) => [symbol, walk.price]);
  service.log.info('prices', Object.fromEntries(prices));
});

/** A market with a past, so that a forecast can start at once. */
function openMarket(price: number, marketSeed: number): Market {
  const walk = new RandomWalk(price, marketSeed);
  const time = (index: number) => new Date(Date.now() - (HISTORY - index) * interval);
  return { walk, candles: Array.from({ length: HISTORY }, (_, index) => walk.candle(time(index))) };
}

function ticker(symbol: string): Ticker {
  return { symbol, price: market(symbol).walk.price, time: new Date().toISOString() };
}

function market(symbol: string): Market {
  const found = markets.get(symbol);
  if (!found) throw new BadRequest(`unknown symbol '${symbol}', expected one of ${[...markets.keys()].join(', ')}`);
  return found;
}

function knownSymbol(query: URLSearchParams): string {
  const symbol = query.get('symbol') ?? '';
  market(symbol);
  return symbol;
}
