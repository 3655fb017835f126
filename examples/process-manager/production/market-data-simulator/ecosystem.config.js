// Simulated exchanges, and the fetcher that collects from one of them.
const shared = {
  namespace: 'market-data',
  max_memory_restart: '200M',
  kill_timeout: 3000,
};

module.exports = {
  apps: [
    {
      ...shared,
      name: 'mds-webhooks-kraken',
      script: '../../apps/dist/market-data-simulator/src/mds-webhooks-kraken.js',
      env: { NODE_ENV: 'production', PORT: 4101, SEED: 1 },
    },
    {
      ...shared,
      name: 'mds-rest-binance',
      script: '../../apps/dist/market-data-simulator/src/mds-rest-binance.js',
      env: { NODE_ENV: 'production', PORT: 4102, SEED: 2 },
    },
    {
      ...shared,
      name: 'mds-fetcher',
      script: '../../apps/dist/market-data-simulator/src/mds-fetcher.js',
      depends_on: ['mds-rest-binance'],
      env: { NODE_ENV: 'production', PORT: 4104, BINANCE_URL: 'http://127.0.0.1:4102' },
    },
  ],
};
