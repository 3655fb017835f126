// Modules as node has them: `require`, and what `import` needs to take in a file that is no ES module.
//
// `run(file)` answers with JSON text, or with a promise of it. The rest is for the host, which finds and compiles.
(function (host, { answer, failure, mark }, { ask, builtin, only, own, partly, path }) {
  const cache = Object.create(null);
  let main;
  let thrown;

  function requireFrom(module) {
    const resolve = (request) => {
      if (typeof request !== 'string' || request === '') throw new TypeError('require needs the name of a module');
      return own(request) ? request : ask(host.resolve(path.dirname(module.filename), request));
    };
    const require = (request) => own(String(request)) ?? load(resolve(request), module).exports;
    return Object.assign(require, { resolve, cache, main });
  }

  function createRequire(from) {
    const filename = /^file:/.test(from) ? builtin.url.fileURLToPath(from) : String(from);
    return requireFrom({ filename, children: [] });
  }
  builtin.module = partly('module', { createRequire });

  function contents(module) {
    const { filename, path: dir } = module;
    switch (host.kind(filename)) {
      case 'commonjs':
        host.compile(filename).call(module.exports, module.exports, requireFrom(module), module, filename, dir);
        return module.exports;
      case 'module': {
        const names = host.namespace(filename);
        return 'module.exports' in names ? names['module.exports'] : names;
      }
      case 'json':
        return host.compile(filename)();
      case 'data':
        return ask(host.data(filename));
      default:
        return only(path.basename(filename))();
    }
  }

  function load(file, parent) {
    if (cache[file]) return cache[file];
    const dir = path.dirname(file);
    const module = { id: file, filename: file, path: dir, exports: {}, parent, children: [], loaded: false, paths: [] };
    cache[file] = module;
    main ??= module;
    try {
      module.exports = contents(module);
    } catch (error) {
      // As in Node, a module that failed may be required again.
      delete cache[file];
      if (!thrown || thrown.error !== error) thrown = { error, file };
      host.failed(thrown.file);
      throw error;
    }
    module.loaded = true;
    parent?.children.push(module);
    mark(module.exports, file);
    return module;
  }

  // What `import` gives of a name: a file that is no ES module, or a module of node's own.
  const value = (name) => (name.startsWith('node:') ? own(name) : load(name, null).exports);

  const named = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
  function names(name) {
    const exports = value(name);
    const isObject = (typeof exports === 'object' && exports !== null) || typeof exports === 'function';
    return isObject ? Object.keys(exports).filter((key) => key !== 'default' && named.test(key)) : [];
  }

  const run = (file) => answer(load(file, null).exports, file);
  const isOwn = (request) => own(request) !== undefined;
  // An ES module ends with a call of this, so that its apps are marked before another module sees them.
  const url = (file) => builtin.url.pathToFileURL(file).href;
  const glue = Object.freeze({ isOwn, loaded: mark, names, thrown: (told) => failure(JSON.parse(told)), url, value });
  Object.defineProperty(globalThis, 'eco:modules', { value: glue });
  return run;
})
