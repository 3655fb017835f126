// Python; in production its source is not watched.
module.exports = {
  apps: [
    {
      name: 'prediction-model',
      script: '../../apps/prediction-model/src/predict.py',
      interpreter: 'python3',
      depends_on: ['mds-rest-binance'],
      readiness: { http: 'http://127.0.0.1:${PORT}/health' },
      max_memory_restart: '150M',
      kill_timeout: 3000,
      env: {
        NODE_ENV: 'production',
        PORT: 4103,
        BINANCE_URL: 'http://127.0.0.1:4102',
        SYMBOLS: 'BTCUSDT,ETHUSDT,SOLUSDT',
      },
    },
  ],
};
