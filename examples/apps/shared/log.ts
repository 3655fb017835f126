// The one format of log lines: information goes to stdout, warnings and errors to stderr.

export type Level = 'info' | 'warn' | 'error';

export interface Log {
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

type Format = (level: Level, message: string, fields: object) => string;

/** `2026-01-31T12:00:00.000Z INFO  listening on http://127.0.0.1:3001` */
export const textLog: Log = createLog((level, message, fields) => {
  const details = Object.entries(fields).map(([key, value]) => ` ${key}=${value}`);
  return `${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${message}${details.join('')}`;
});

/** One JSON object a line. */
export const jsonLog: Log = createLog((level, message, fields) =>
  JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }),
);

function createLog(format: Format): Log {
  return {
    info: (message, fields = {}) => console.log(format('info', message, fields)),
    warn: (message, fields = {}) => console.error(format('warn', message, fields)),
    error: (message, fields = {}) => console.error(format('error', message, fields)),
  };
}
