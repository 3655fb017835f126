// Python, restarted when its source changes.
module.exports = {
  apps: [
    {
      name: 'prediction-model',
      script: '../../apps/prediction-model/src/predict.py',
      interpreter: 'python3',
      depends_on: ['mds-rest-binance'],
      readiness: { http: 'http://127.0.0.1:${PORT}/health' },
      watch: ['../../apps/prediction-model'],
      watch_delay: 1000,
      ignore_watch: ['node_modules', 'logs', '__pycache__', '*.pyc', '.git'],
      env: { PORT: 3003, INTERVAL_MS: 1000, BINANCE_URL: 'http://127.0.0.1:3002' },
    },
  ],
};
