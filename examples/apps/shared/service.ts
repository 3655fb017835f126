// What every service here has in common: HTTP on 127.0.0.1 with GET /health, timers, and a quick, clean stop.
//
//   startService ─▶ listening ─▶ "listening on …" and 'ready' to the process manager
//        │              └─ SIGINT, SIGTERM or the message 'shutdown' ─▶ timers, goodbye, server ─▶ exit 0
//        └─ port in use ─▶ exit 1

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Log, textLog } from './log.js';

const HOST = '127.0.0.1';
const GOODBYE_MS = 300;
const BODY_LIMIT = 64 * 1024;

export interface Request {
  query: URLSearchParams;
  /** The parsed JSON body; undefined if there was none. */
  body: unknown;
}

export interface Reply {
  status?: number;
  body: unknown;
}

/** Handlers by method and path, such as `GET /ticker`. */
export type Routes = Record<string, (request: Request) => Reply | Promise<Reply>>;

export interface Options {
  name: string;
  port: number;
  routes?: Routes;
  log?: Log;
}

export interface Service {
  log: Log;
  /** Where the others reach this service. */
  url: string;
  /** Runs the task now, and again `ms` after each run has ended. */
  every(ms: number, task: () => void | Promise<void>): void;
  /** Runs before the exit, for at most 300 ms; a failure is ignored. */
  onStop(goodbye: () => Promise<unknown>): void;
}

/** Thrown by a handler to answer 400 with the message. */
export class BadRequest extends Error {}

export async function startService({ name, port, routes = {}, log = textLog }: Options): Promise<Service> {
  const all: Routes = { 'GET /health': () => ({ body: health(name) }), ...routes };
  const server = createServer((request, response) => void answer(all, request, response, log));
  const timers = new Set<NodeJS.Timeout>();
  const goodbyes: (() => Promise<unknown>)[] = [];
  let stopping = false;

  async function stop(cause: string) {
    // A terminal's Ctrl-C and a process manager may both signal; the first one counts.
    if (stopping) return;
    stopping = true;
    log.info(`stopping: ${cause}`);
    for (const timer of timers) clearTimeout(timer);
    server.close();
    const deadline = new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
    await Promise.race([deadline, Promise.allSettled(goodbyes.map((goodbye) => goodbye()))]);
    log.info('stopped');
    process.exit(0);
  }
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('message', (message) => void (message === 'shutdown' && stop(message)));

  await new Promise<void>((resolve) => {
    server.once('error', (error) => {
      log.error(`cannot start ${name}: ${error.message}`);
      process.exit(1);
    });
    server.listen(port, HOST, resolve);
  });
  const url = `http://${HOST}:${port}`;
  log.info(`listening on ${url}`);
  if (process.connected) process.send?.('ready');

  return {
    log,
    url,
    every(ms, task) {
      const run = async () => {
        await task();
        if (stopping) return;
        const timer = setTimeout(() => {
          timers.delete(timer);
          void run();
        }, ms);
        timers.add(timer);
      };
      void run();
    },
    onStop: (goodbye) => void goodbyes.push(goodbye),
  };
}

function health(service: string) {
  return { status: 'ok', service, pid: process.pid, uptime: Math.round(process.uptime() * 1000) / 1000 };
}

async function answer(routes: Routes, request: IncomingMessage, response: ServerResponse, log: Log) {
  const { status = 200, body } = await route(routes, request).catch((error: unknown): Reply => {
    if (error instanceof BadRequest) return { status: 400, body: { error: error.message } };
    log.error(`${request.method} ${request.url} failed: ${error}`);
    return { status: 500, body: { error: 'internal error' } };
  });
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

async function route(routes: Routes, request: IncomingMessage): Promise<Reply> {
  const [path, query] = (request.url ?? '/').split('?', 2);
  const handler = routes[`${request.method} ${path}`];
  if (!handler) return { status: 404, body: { error: 'not found', routes: Object.keys(routes) } };
  return handler({ query: new URLSearchParams(query), body: await readJson(request) });
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > BODY_LIMIT) throw new BadRequest('the body is too long');
  }
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRequest('the body is not JSON');
  }
}
