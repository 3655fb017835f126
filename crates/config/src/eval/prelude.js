// The part of Node that an ecosystem file may use: CommonJS modules, process, console, path, os and reading from fs.
//
// It is called once with the functions of the host and returns `main(file)`, which answers with JSON text. What the host
// answers is JSON too: { ok: … } or { code, message, hint }.
(function (host) {
  'use strict';

  const { parse, stringify } = JSON;
  const facts = parse(host.facts);

  // Which file defines an app: a property with a symbol for a key is copied by spread and Object.assign, but is
  // nothing to JSON. Frozen apps are remembered beside.
  const origin = Symbol('eco.origin');
  const frozen = new WeakMap();
  const names = ['script', 'exec', 'cmd', 'command'];
  // What JSON cannot say is handed over under this key, so that it can be named in a problem.
  const odd = '\u0000eco';

  function failure(answer, base = Error) {
    const error = new base(answer.message);
    for (const key of ['code', 'path', 'syscall']) if (answer[key]) error[key] = answer[key];
    if (answer.hint) Object.defineProperty(error, 'ecoHint', { value: answer.hint });
    if (answer.fault) Object.defineProperty(error, 'ecoFault', { value: answer.fault });
    if (answer.at) Object.defineProperty(error, 'ecoAt', { value: answer.at });
    return error;
  }

  function ask(text) {
    const answer = parse(text);
    if ('ok' in answer) return answer.ok;
    throw failure(answer);
  }

  // --- path

  function split(path) {
    const parts = [];
    for (const part of path.split('/')) {
      if (part === '' || part === '.') continue;
      if (part === '..' && parts.length > 0 && parts[parts.length - 1] !== '..') parts.pop();
      else if (part !== '..' || !path.startsWith('/')) parts.push(part);
    }
    return parts;
  }

  function text(value, name) {
    if (typeof value === 'string') return value;
    const error = new TypeError(`The "${name}" argument must be of type string`);
    error.code = 'ERR_INVALID_ARG_TYPE';
    throw error;
  }

  const path = {
    sep: '/',
    delimiter: ':',
    isAbsolute: (value) => text(value, 'path').startsWith('/'),
    normalize(value) {
      if (text(value, 'path') === '') return '.';
      const whole = (value.startsWith('/') ? '/' : '') + split(value).join('/');
      if (whole === '') return value.endsWith('/') ? './' : '.';
      return value.endsWith('/') && whole !== '/' ? `${whole}/` : whole;
    },
    join: (...parts) => path.normalize(parts.map((part) => text(part, 'path')).filter((part) => part !== '').join('/')),
    resolve(...parts) {
      let whole = '';
      for (const part of [facts.cwd, ...parts]) {
        if (text(part, 'path') === '') continue;
        whole = part.startsWith('/') ? part : `${whole}/${part}`;
      }
      return `/${split(whole).join('/')}`;
    },
    dirname(value) {
      const bare = text(value, 'path').replace(/(?!^)\/+$/, '');
      const end = bare.lastIndexOf('/');
      if (end < 0) return '.';
      return bare.slice(0, end).replace(/\/+$/, '') || '/';
    },
    basename(value, suffix) {
      const base = text(value, 'path').replace(/\/+$/, '').replace(/^.*\//s, '');
      return suffix && base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base;
    },
    extname(value) {
      const base = path.basename(value);
      const dot = base.lastIndexOf('.');
      return dot <= 0 || base === '..' ? '' : base.slice(dot);
    },
    relative(from, to) {
      const [a, b] = [split(path.resolve(from)), split(path.resolve(to))];
      let same = 0;
      while (same < a.length && same < b.length && a[same] === b[same]) same += 1;
      return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('/');
    },
    parse(value) {
      const base = path.basename(value);
      const ext = path.extname(base);
      const root = value.startsWith('/') ? '/' : '';
      const dir = value.includes('/') ? path.dirname(value) : '';
      return { root, dir, base, ext, name: ext ? base.slice(0, -ext.length) : base };
    },
    format({ root = '', dir, base, name = '', ext = '' }) {
      const folder = dir || root;
      const last = base || name + ext;
      return folder && folder !== root ? `${folder}/${last}` : folder + last;
    },
    toNamespacedPath: (value) => value,
  };
  path.posix = path;

  // --- os and fs, reading only

  const os = {
    EOL: '\n',
    devNull: '/dev/null',
    arch: () => facts.arch,
    availableParallelism: () => facts.cpus,
    cpus: () => Array.from({ length: facts.cpus }, () => ({ model: 'unknown', speed: 0 })),
    endianness: () => 'LE',
    freemem: () => facts.freemem,
    homedir: () => facts.homedir,
    hostname: () => facts.hostname,
    loadavg: () => [0, 0, 0],
    networkInterfaces: () => ({}),
    platform: () => facts.platform,
    release: () => facts.release,
    tmpdir: () => facts.tmpdir,
    totalmem: () => facts.totalmem,
    type: () => (facts.platform === 'darwin' ? 'Darwin' : 'Linux'),
    userInfo: () => ({ username: facts.user, homedir: facts.homedir, shell: null }),
  };

  const full = (value) => path.resolve(value instanceof String ? String(value) : text(value, 'path'));

  function stat(value, options) {
    const answer = parse(host.stat(full(value)));
    if (!('ok' in answer)) {
      if (options && options.throwIfNoEntry === false && answer.code === 'ENOENT') return undefined;
      throw failure(answer);
    }
    const { kind, size, mode, mtime } = answer.ok;
    return {
      size,
      mode,
      mtimeMs: mtime,
      mtime: new Date(mtime),
      isFile: () => kind === 'file',
      isDirectory: () => kind === 'folder',
      isSymbolicLink: () => false,
      isFIFO: () => kind === 'pipe',
    };
  }

  const fs = {
    constants: { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 },
    accessSync: (value) => void stat(value),
    existsSync(value) {
      return typeof value === 'string' && 'ok' in parse(host.stat(full(value)));
    },
    // Without an encoding Node gives bytes; here it is a String object, which toString, JSON.parse and the like take.
    readFileSync(value, options) {
      const content = ask(host.read(full(value)));
      const encoding = typeof options === 'string' ? options : options && options.encoding;
      return encoding ? content : new String(content);
    },
    readdirSync(value, options) {
      const entries = ask(host.list(full(value)));
      if (!(options && options.withFileTypes)) return entries;
      return entries.map((name) => Object.assign(stat(path.join(value, name)), { name, parentPath: value }));
    },
    realpathSync: (value) => ask(host.realpath(full(value))),
    statSync: stat,
    lstatSync: stat,
  };
  for (const name of ['writeFileSync', 'appendFileSync', 'mkdirSync', 'rmSync', 'unlinkSync', 'renameSync']) {
    fs[name] = () => {
      throw failure({ message: `fs.${name} is not there: a config may read files, but not change them`, code: 'EROFS' });
    };
  }

  const builtin = { path, 'path/posix': path, os, fs };

  // --- globals

  function show(value) {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    try {
      return stringify(value, plain) ?? String(value);
    } catch {
      return String(value);
    }
  }

  const say = (...values) => host.say(values.map(show).join(' '));
  globalThis.console = { log: say, info: say, warn: say, error: say, debug: say, trace: say, dir: say, table: say };
  globalThis.global = globalThis;
  const write = (chunk) => (host.say(String(chunk).replace(/\n$/, '')), true);
  globalThis.process = {
    env: facts.env,
    argv: ['node', facts.main],
    argv0: 'node',
    execArgv: [],
    execPath: 'node',
    title: 'node',
    pid: facts.pid,
    platform: facts.platform,
    arch: facts.arch,
    version: 'v20.0.0',
    versions: { node: '20.0.0', eco: facts.version },
    stdout: { isTTY: false, write },
    stderr: { isTTY: false, write },
    cwd: () => facts.cwd,
    uptime: () => 0,
    on: () => globalThis.process,
    once: () => globalThis.process,
    emitWarning: (warning) => say(warning),
    exit() {
      throw failure({ message: 'the file calls process.exit' });
    },
  };

  // --- modules

  const cache = Object.create(null);
  let main;
  let thrown;

  function requireFrom(module) {
    const resolve = (request) => {
      if (typeof request !== 'string' || request === '') throw new TypeError('require needs the name of a module');
      const bare = request.startsWith('node:') ? request.slice(5) : request;
      if (Object.hasOwn(builtin, bare)) return request;
      return ask(host.resolve(path.dirname(module.filename), request));
    };
    const require = (request) => {
      const file = resolve(request);
      const bare = file.startsWith('node:') ? file.slice(5) : file;
      return Object.hasOwn(builtin, bare) ? builtin[bare] : load(file, module).exports;
    };
    return Object.assign(require, { resolve, cache, main });
  }

  function load(file, parent) {
    if (cache[file]) return cache[file];
    const dir = path.dirname(file);
    const module = { id: file, filename: file, path: dir, exports: {}, parent, children: [], loaded: false, paths: [] };
    main ??= module;
    cache[file] = module;
    try {
      const kind = host.kind(file);
      if (kind === 'data') module.exports = ask(host.data(file));
      else if (kind === 'json') module.exports = host.compile(file)();
      else host.compile(file).call(module.exports, module.exports, requireFrom(module), module, file, dir);
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

  // --- which apps there are, and who defines them

  const field = (object, key) => Object.getOwnPropertyDescriptor(object, key)?.value;
  const isObject = (value) => typeof value === 'object' && value !== null;

  function tag(app, file) {
    if (Object.hasOwn(app, origin) || frozen.has(app)) return;
    if (!Object.isExtensible(app)) frozen.set(app, file);
    else Object.defineProperty(app, origin, { value: file, enumerable: true, writable: true, configurable: true });
  }

  function mark(exports, file) {
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

  return function run(file) {
    let result = load(file, null).exports;
    if (typeof result === 'function') result = result();
    if (isObject(result) && result.__esModule && result.default !== undefined) result = result.default;
    if (isObject(result) && typeof result.then === 'function') {
      throw failure({
        message: 'the file gives a promise, and nobody waits for it',
        hint: 'work everything out at once: a config has nothing to wait for',
        fault: 'result',
      });
    }
    const { key, list, wrong, alone = false, others = [] } = listOf(result);
    const apps = list && Array.from(list, (value) => ({
      file: (isObject(value) && (value[origin] ?? frozen.get(value))) || file,
      value: value === undefined ? { [odd]: 'nothing' } : value,
    }));
    const unlike = apps ? undefined : wrong == null ? { [odd]: wrong === null ? 'null' : 'nothing' } : wrong;
    try {
      return stringify({ key, alone, bare: key === undefined, others, apps, wrong: unlike }, plain);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw failure({ message: `the apps cannot be written as data: ${error.message}`, fault: 'result' });
    }
  };
})
