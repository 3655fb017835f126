// The door for users: http://127.0.0.1:3000/prices, /forecast and /status. It starts when those it asks are ready, is
// online when it says so itself, and is replaced when it no longer answers.
const health = 'http://127.0.0.1:${PORT}/health';

module.exports = {
  apps: [
    {
      name: 'public-api',
      script: '../../apps/public-api/src/server.ts',
      interpreter: 'tsx',
      depends_on: ['mds-webhooks-kraken', 'mds-fetcher', 'prediction-model'],
      readiness: { http: health, within: '30s' },
      liveness: { http: health, interval: '5s', timeout: '2s', failures: 3 },
      env: {
        NODE_ENV: 'development',
        PORT: 3000,
        KRAKEN_URL: 'http://127.0.0.1:3001',
        PREDICTION_URL: 'http://127.0.0.1:3003',
        FETCHER_URL: 'http://127.0.0.1:3004',
        MONITORING_URL: 'http://127.0.0.1:3005',
      },
    },
  ],
};
