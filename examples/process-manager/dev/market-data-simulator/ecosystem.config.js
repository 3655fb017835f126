// Simulated exchanges, and the fetcher that collects from one of them.
module.exports = {
  apps: [
    {
      name: 'mds-webhooks-kraken',
      namespace: 'market-data',
      script: '../../apps/market-data-simulator/src/mds-webhooks-kraken.ts',
      interpreter: 'tsx',
      env: { NODE_ENV: 'development', PORT: 3001, INTERVAL_MS: 1000, SEED: 1 },
    },
    {
      name: 'mds-rest-binance',
      namespace: 'market-data',
      script: '../../apps/market-data-simulator/src/mds-rest-binance.ts',
      interpreter: 'tsx',
      env: { NODE_ENV: 'development', PORT: 3002, INTERVAL_MS: 1000, SEED: 2 },
    },
    {
      name: 'mds-fetcher',
      namespace: 'market-data',
      script: '../../apps/market-data-simulator/src/mds-fetcher.ts',
      interpreter: 'tsx',
      depends_on: ['mds-rest-binance'],
      env: { NODE_ENV: 'development', PORT: 3004, INTERVAL_MS: 1000, BINANCE_URL: 'http://127.0.0.1:3002' },
    },
  ],
};
