// Asks every other service how it is.
const targets = {
  'public-api': 'http://127.0.0.1:3000',
  'mds-webhooks-kraken': 'http://127.0.0.1:3001',
  'mds-rest-binance': 'http://127.0.0.1:3002',
  'prediction-model': 'http://127.0.0.1:3003',
  'mds-fetcher': 'http://127.0.0.1:3004',
};

module.exports = {
  apps: [
    {
      name: 'monitoring',
      script: '../../apps/monitoring/src/monitor.ts',
      interpreter: 'tsx',
      env: {
        NODE_ENV: 'development',
        PORT: 3005,
        INTERVAL_MS: 2000,
        TARGETS: Object.entries(targets)
          .map(([name, url]) => `${name}=${url}`)
          .join(','),
      },
    },
  ],
};
