// Production: compiled JavaScript (`npm run build` in examples/apps). Start everything with `eco start production`.
module.exports = {
  apps: [
    ...require('./market-data-simulator/ecosystem.config').apps,
    ...require('./prediction-model/ecosystem.config').apps,
    ...require('./public-api/ecosystem.config').apps,
    ...require('./monitoring/ecosystem.config').apps,
  ],
};
