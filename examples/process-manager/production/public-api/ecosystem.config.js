// The door for users, twice: http://127.0.0.1:4000 and http://127.0.0.1:4001. Each instance is asked at its own port.
const health = 'http://127.0.0.1:${PORT}/health';

module.exports = {
  apps: [
    {
      name: 'public-api',
      script: '../../apps/dist/public-api/src/server.js',
      exec_mode: 'fork',
      instances: 2,
      increment_var: 'PORT',
      depends_on: ['mds-webhooks-kraken', 'mds-fetcher', 'prediction-model'],
      readiness: { http: health, within: '30s' },
      liveness: { http: health, interval: '5s', timeout: '2s', failures: 3 },
      max_memory_restart: '300M',
      kill_timeout: 5000,
      env: {
        PORT: 4000,
        INTERVAL_MS: 1000,
        KRAKEN_URL: 'http://127.0.0.1:4101',
        PREDICTION_URL: 'http://127.0.0.1:4103',
        FETCHER_URL: 'http://127.0.0.1:4104',
        MONITORING_URL: 'http://127.0.0.1:4105',
      },
      // Laid over env: by `--env production`, or because the environment's name is production.
      env_production: {
        NODE_ENV: 'production',
        INTERVAL_MS: 500,
      },
    },
  ],
};
