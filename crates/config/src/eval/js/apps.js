// Which apps a file gives, and which file defines each of them. The same text runs in eco's own engine and in node.
(function () {
  const { stringify } = JSON;

  // Which file defines an app: a property with a symbol for a key is copied by spread and Object.assign, but is
  // nothing to JSON. Frozen apps are remembered beside.
  const origin = Symbol('eco.origin');
  const frozen = new WeakMap();
  const names = ['script', 'exec', 'cmd', 'command'];
  // What JSON cannot say is handed over under this key, so that it can be named in a problem.
  const odd = '\u0000eco';
  // Promises of functions of promises: more of them than anybody means.
  const turns = 10;

  function failure(answer, base = Error) {
    const error = new base(answer.message);
    for (const key of ['code', 'path', 'syscall']) if (answer[key]) error[key] = answer[key];
    for (const key of ['hint', 'fault', 'at', 'subject']) {
      const name = `eco${key[0].toUpperCase()}${key.slice(1)}`;
      if (answer[key]) Object.defineProperty(error, name, { value: answer[key] });
    }
    return error;
  }

  const field = (object, key) => Object.getOwnPropertyDescriptor(object, key)?.value;
  const isObject = (value) => typeof value === 'object' && value !== null;
  const isNamespace = (value) => isObject(value) && value[Symbol.toStringTag] === 'Module';
  const isPromise = (value) => isObject(value) && typeof value.then === 'function';

  // --- who defines what

  function tag(app, file) {
    if (Object.hasOwn(app, origin) || frozen.has(app)) return;
    if (!Object.isExtensible(app)) frozen.set(app, file);
    else Object.defineProperty(app, origin, { value: file, enumerable: true, writable: true, configurable: true });
  }

  function markNames(namespace, file) {
    for (const name of Object.getOwnPropertyNames(namespace)) {
      let value;
      try {
        value = namespace[name];
      } catch {
        continue; // Modules that import each other: it has no value yet.
      }
      mark(name === 'default' ? value : { [name]: value }, file);
    }
  }

  // Marks what a module exports as defined by its file, unless another file has marked it before.
  function mark(exports, file) {
    if (isNamespace(exports)) return markNames(exports, file);
    if (exports instanceof Promise) return void exports.then((value) => mark(value, file), () => {});
    let left = 10_000;
    const walk = (value, depth, listed) => {
      if (!isObject(value) || depth > 4 || (left -= 1) < 0) return;
      if (!Array.isArray(value) && (listed || names.some((name) => typeof field(value, name) === 'string'))) {
        tag(value, file);
      }
      for (const key of Object.keys(value)) {
        walk(field(value, key), depth + 1, Array.isArray(value) && listed === 'list' ? 'app' : listIn(depth, key));
      }
    };
    const listIn = (depth, key) => (depth === 0 && (key === 'apps' || key === 'pm2') ? 'list' : undefined);
    walk(exports, 0, Array.isArray(exports) ? 'list' : undefined);
  }

  // --- which apps there are

  function plain(key, value) {
    if (typeof value === 'function') return { [odd]: 'a function' };
    if (typeof value === 'symbol') return { [odd]: 'a symbol' };
    if (typeof value === 'bigint') return value.toString();
    if (typeof value === 'number' && !Number.isFinite(value)) return { [odd]: String(value) };
    if (value instanceof RegExp) return { [odd]: String(value), expression: value.source, flags: value.flags };
    return value;
  }

  function listOf(result) {
    if (Array.isArray(result)) return { key: '', list: result };
    if (!isObject(result)) return { key: '', wrong: result };
    const key = ['apps', 'pm2'].find((key) => result[key] !== undefined);
    if (key === undefined) {
      return names.some((name) => result[name] !== undefined) ? { key, list: [result] } : { key: '', wrong: result };
    }
    const inside = result[key];
    // A place for the anchors of a YAML file, as in other tools: `x-` says that nobody is to look there.
    const others = Object.keys(result).filter((other) => other !== key && !other.startsWith('x-'));
    if (Array.isArray(inside)) return { key, list: inside, others };
    return isObject(inside) ? { key, list: [inside], alone: true, others } : { key, wrong: inside, others };
  }

  // The apps have the variables that are there when the file has said all: what a file sets, they find.
  function variables() {
    const env = globalThis.process?.env;
    if (!isObject(env)) return undefined;
    return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
  }

  function written(result, file) {
    const { key, list, wrong, alone = false, others = [] } = listOf(result);
    const apps = list && Array.from(list, (value) => ({
      file: (isObject(value) && (value[origin] ?? frozen.get(value))) || file,
      value: value === undefined ? { [odd]: 'nothing' } : value,
    }));
    const unlike = apps ? undefined : wrong == null ? { [odd]: wrong === null ? 'null' : 'nothing' } : wrong;
    try {
      return stringify({ key, alone, bare: key === undefined, others, apps, wrong: unlike, variables: variables() }, plain);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw failure({ message: `the apps cannot be written as data: ${error.message}`, fault: 'result' });
    }
  }

  // Follows promises, functions and default exports to the value they stand for; a promise only where there is one.
  function settle(value, then, turn = 0) {
    if (turn > turns) {
      throw failure({ message: 'the file gives functions of functions without end', fault: 'result' });
    }
    if (isPromise(value)) return Promise.resolve(value).then((value) => settle(value, then, turn + 1));
    if (typeof value === 'function') return settle(value(), then, turn + 1);
    if ((isNamespace(value) || (isObject(value) && value.__esModule)) && value.default !== undefined) {
      return settle(value.default, then, turn + 1);
    }
    return then(value);
  }

  // What a file exports, as JSON text or as a promise of it.
  const answer = (exports, file) => settle(exports, (result) => written(result, file));

  return { answer, failure, mark, plain };
})
