// Development: TypeScript is run as it is, by tsx. Start everything with `eco start dev`.
module.exports = {
  apps: [
    ...require('./market-data-simulator/ecosystem.config').apps,
    ...require('./prediction-model/ecosystem.config').apps,
    ...require('./public-api/ecosystem.config').apps,
    ...require('./monitoring/ecosystem.config').apps,
  ],
};
