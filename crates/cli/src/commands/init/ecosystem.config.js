// An ecosystem file of eco: which apps there are, and how they run.
//
//   eco validate    tells what is wrong with it
//   eco config      shows what it comes to
//   eco start       starts what it says
module.exports = {
  apps: [
    {
      name: 'hello',
      // A path such as './src/server.js', or a command line.
      script: 'while true; do echo "$GREETING"; sleep 5; done',
      env: { GREETING: 'hello' },
      // Laid over `env` in the environment `production`: eco start -E production
      env_production: { GREETING: 'good day' },

      // instances: 2,
      // readiness: { http: 'http://127.0.0.1:${PORT}/health' },
      // max_memory_restart: '300M',
      // watch: true,
    },
  ],
};
