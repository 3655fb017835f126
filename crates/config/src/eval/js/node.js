// Runs in node, for a file that needs it: loads the file, marks whose the apps are, and tells the answer.
//
// The answer goes to stdout between two marks that nobody can know before: what the file and the processes it starts write
// there does it no harm.
(function (apps, task) {
  'use strict';

  const fs = require('node:fs');
  const Module = require('node:module');
  const path = require('node:path');
  const { fileURLToPath, pathToFileURL } = require('node:url');
  // Of a program that comes from nowhere, and in nobody else's way.
  for (const name of ['require', 'module', 'exports', '__filename', '__dirname']) delete globalThis[name];
  const exit = process.exit.bind(process);
  let isTold = false;

  function tell(answer) {
    if (isTold) return;
    isTold = true;
    const text = JSON.stringify({ version: process.version, ...answer });
    const bytes = Buffer.from(`${task.mark}${text}${task.mark}`);
    for (let written = 0; written < bytes.length; ) {
      try {
        written += fs.writeSync(1, bytes, written);
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
      }
    }
  }

  function fail(thrown) {
    if (thrown instanceof Error) {
      const { name, message, stack, ecoFault: fault } = thrown;
      tell({ thrown: { name: String(name), message: String(message), stack: String(stack), fault } });
    } else {
      tell({ thrown: { value: typeof thrown === 'string' ? JSON.stringify(thrown) : String(thrown) } });
    }
    exit(1);
  }

  process.exit = () => fail(new Error('the file calls process.exit'));
  process.on('uncaughtException', fail);
  process.on('exit', () => tell({ pending: true }));

  // --- TypeScript: by tsx where it is installed, else by node itself, which may have to be told so

  function readTypes() {
    const request = Module.createRequire(task.file);
    try {
      request('tsx/cjs/api').register();
      request('tsx/esm/api').register();
      return true;
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND' && error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error;
    }
    const flag = '--experimental-strip-types';
    if (process.features.typescript) return true;
    if (process.allowedNodeEnvironmentFlags.has(flag)) tell({ again: flag });
    else fail(new Error('this node reads no TypeScript: npm i -D tsx, or take node 22.18 or newer'));
    return false;
  }
  if (task.isTyped && !readTypes()) exit(0);

  // --- whose the apps are

  const load = Module.prototype.load;
  Module.prototype.load = function (file) {
    load.call(this, file);
    apps.mark(this.exports, file);
  };
  const loaded = Symbol.for('eco.loaded');
  globalThis[loaded] = (names, url) => apps.mark(names, fileURLToPath(url));

  // Also sent to node's thread for loaders as text, so it stands alone.
  function marked(url, result) {
    const { format, source } = result;
    const isJson = format === 'json';
    const isModule = isJson || String(format).startsWith('module');
    if (!isModule || !url.startsWith('file:') || source === null || source === undefined) return result;
    const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
    const own = JSON.stringify(url);
    const loaded = (names) => `globalThis[Symbol.for('eco.loaded')](${names}, ${own});`;
    if (isJson) {
      const value = `const value = JSON.parse(${JSON.stringify(text)});`;
      return { ...result, format: 'module', source: `${value}${loaded('value')}export default value;` };
    }
    return { ...result, source: `${text}\n;import * as $eco$self from ${own};${loaded('$eco$self')}` };
  }
  // A module that came from stdin is in no file: it is handed over when it is asked for.
  const self = String(pathToFileURL(task.file));
  const served = typeof task.text === 'string' && task.isModule;
  function resolved(url, specifier, context, next) {
    return specifier === url ? { url, format: 'module', shortCircuit: true } : next(specifier, context);
  }
  function given(url, text, asked, context, next) {
    return asked === url ? { format: 'module', source: text, shortCircuit: true } : next(asked, context);
  }
  if (Module.registerHooks) {
    const read = served ? (url, context, next) => given(self, task.text, url, context, next) : (url, context, next) => next(url, context);
    const load = (url, context, next) => marked(url, read(url, context, next));
    const resolve = (specifier, context, next) => resolved(self, specifier, context, next);
    Module.registerHooks(served ? { load, resolve } : { load });
  } else if (Module.register) {
    const values = `const self = ${JSON.stringify(self)}; const text = ${JSON.stringify(served ? task.text : null)};`;
    const read = served ? 'given(self, text, url, context, next)' : 'next(url, context)';
    const hooks = [`export const load = async (url, context, next) => marked(url, await ${read});`];
    if (served) {
      hooks.push('export const resolve = async (specifier, context, next) => resolved(self, specifier, context, next);');
    }
    const source = [values, marked, given, resolved, ...hooks].join('\n');
    Module.register(`data:text/javascript,${encodeURIComponent(source)}`);
  }

  // --- the file

  function compiled(text) {
    const module = new Module(task.file);
    module.filename = task.file;
    module.paths = Module._nodeModulePaths(path.dirname(task.file));
    module._compile(text, task.file);
    return module.exports;
  }

  async function contents() {
    if (task.isModule) return import(self);
    if (typeof task.text === 'string') return compiled(task.text);
    try {
      return Module.createRequire(task.file)(task.file);
    } catch (error) {
      if (error.code !== 'ERR_REQUIRE_ESM' && error.code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
      return import(pathToFileURL(task.file));
    }
  }

  process.argv = [process.execPath, task.file];
  contents()
    .then((exports) => {
      apps.mark(exports, task.file);
      return apps.answer(exports, task.file);
    })
    .then((apps) => {
      tell({ apps });
      exit(0);
    })
    .catch(fail);
})
