// The door for users: http://127.0.0.1:3000/prices, /forecast and /status.
module.exports = {
  apps: [
    {
      name: 'public-api',
      script: '../../apps/public-api/src/server.ts',
      interpreter: 'tsx',
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
