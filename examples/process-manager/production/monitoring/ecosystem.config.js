// Asks every other service how it is; public-api once for each instance.
const targets = {
  'public-api-0': 'http://127.0.0.1:4000',
  'public-api-1': 'http://127.0.0.1:4001',
  'mds-webhooks-kraken': 'http://127.0.0.1:4101',
  'mds-rest-binance': 'http://127.0.0.1:4102',
  'prediction-model': 'http://127.0.0.1:4103',
  'mds-fetcher': 'http://127.0.0.1:4104',
};

module.exports = {
  apps: [
    {
      name: 'monitoring',
      script: '../../apps/dist/monitoring/src/monitor.js',
      max_memory_restart: '150M',
      kill_timeout: 3000,
      env: {
        NODE_ENV: 'production',
        PORT: 4105,
        INTERVAL_MS: 2000,
        TARGETS: Object.entries(targets)
          .map(([name, url]) => `${name}=${url}`)
          .join(','),
      },
    },
  ],
};
