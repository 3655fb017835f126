// The part of node that a config may use: process, console, path, os, url and reading from fs.
//
// What the host answers is JSON: { ok: … } or { code, message, hint }. What node has beyond this is either noted when it
// is looked for, or throws when it is used: then the file is one for node.
(function (host, { failure, plain }) {
  const { parse, stringify } = JSON;
  const facts = parse(host.facts);

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

  // --- what only node has

  function only(subject) {
    return () => {
      const error = failure({ message: `${subject} is only there in node`, fault: 'node', subject });
      host.needs(subject, error.stack);
      throw error;
    };
  }

  // Asked of everything, and meaning nothing.
  const asked = ['then', 'toJSON', 'default', '__esModule'];

  // An object whose missing parts are noted when they are looked for, and stay missing.
  function noting(name, object) {
    const get = (target, key) => {
      if (typeof key === 'string' && !(key in target) && !asked.includes(key)) host.absent(`${name}.${key}`);
      return target[key];
    };
    return new Proxy(object, { get });
  }

  // A module of which something is there; the rest may be had, but not be called.
  function partly(name, object) {
    const get = (target, key) =>
      typeof key !== 'string' || key in target || asked.includes(key) ? target[key] : only(`${name}.${key}`);
    return new Proxy(object, { get });
  }

  // A module of which nothing is there.
  function lacking(name) {
    return new Proxy(partly(name, function () {}), { apply: only(name), construct: only(name) });
  }

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
    platform: () => facts.platform,
    release: () => facts.release,
    tmpdir: () => facts.tmpdir,
    totalmem: () => facts.totalmem,
    type: () => (facts.platform === 'darwin' ? 'Darwin' : 'Linux'),
    userInfo: () => ({ username: facts.user, homedir: facts.homedir, shell: null }),
  };

  function full(value) {
    if (value instanceof URL) return url.fileURLToPath(value);
    return path.resolve(value instanceof String ? String(value) : text(value, 'path'));
  }


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
      return (typeof value === 'string' || value instanceof URL) && 'ok' in parse(host.stat(full(value)));
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
      const isSymbolicLink = only('fs.Dirent.isSymbolicLink');
      const entry = (name) => Object.assign(stat(path.join(value, name)), { name, parentPath: value, isSymbolicLink });
      return entries.map(entry);
    },
    realpathSync: (value) => ask(host.realpath(full(value))),
    statSync: stat,
  };
  fs.promises = { constants: fs.constants };
  for (const name of ['access', 'readFile', 'readdir', 'realpath', 'stat']) {
    fs.promises[name] = async (...values) => fs[`${name}Sync`](...values);
  }
  for (const name of ['appendFile', 'mkdir', 'rename', 'rm', 'unlink', 'writeFile']) {
    fs[`${name}Sync`] = only(`fs.${name}Sync`);
    fs.promises[name] = only(`fs.promises.${name}`);
  }

  // --- url: of files

  // A URL of a file; others are for node.
  class URL {
    constructor(input, base) {
      const text = String(input);
      const hasScheme = /^[a-z][a-z\d+.-]*:/i.test(text);
      if (!hasScheme && base === undefined) throw new TypeError('Invalid URL');
      const whole = hasScheme ? text : String(base);
      if (!whole.startsWith('file://')) only(`new URL(${stringify(whole)})`)();
      const bare = (value) => value.replace(/[?#].*$/s, '');
      const from = bare(whole).slice('file://'.length);
      const to = hasScheme ? from : bare(text).startsWith('/') ? bare(text) : from.replace(/[^/]*$/, '') + bare(text);
      const isFolder = /(^|\/)\.{0,2}$/.test(to);
      const plainPath = `/${split(to).join('/')}`.replace(/\/?$/, isFolder ? '/' : '');
      this.pathname = encodeURI(plainPath).replace(/%25([\da-f]{2})/gi, '%$1');
      this.protocol = 'file:';
      this.host = this.hostname = this.search = this.hash = '';
      this.href = `file://${this.pathname}`;
    }
    toString() {
      return this.href;
    }
    toJSON() {
      return this.href;
    }
  }

  const url = {
    URL,
    fileURLToPath: (value) => decodeURIComponent(new URL(value).pathname),
    pathToFileURL(value) {
      const slash = value.endsWith('/') ? '/' : '';
      return new URL(`file://${encodeURI(path.resolve(value) + slash).replace(/[?#]/g, encodeURIComponent)}`);
    },
  };

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
  globalThis.URL = URL;
  const write = (chunk) => (host.say(String(chunk).replace(/\n$/, '')), true);
  globalThis.process = noting('process', {
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
    nextTick: (task, ...values) => queueMicrotask(() => task(...values)),
  });

  const modules = { console: globalThis.console, fs, 'fs/promises': fs.promises, os, path, 'path/posix': path, url };
  const builtin = { process: globalThis.process };
  for (const [name, object] of Object.entries(modules)) builtin[name] = partly(name, object);
  builtin.fs.promises = builtin['fs/promises'];

  // All that node calls its own.
  const names = [
    'assert', 'async_hooks', 'buffer', 'child_process', 'cluster', 'console', 'constants', 'crypto', 'dgram',
    'diagnostics_channel', 'dns', 'domain', 'events', 'fs', 'http', 'http2', 'https', 'inspector', 'module', 'net',
    'os', 'path', 'perf_hooks', 'process', 'punycode', 'querystring', 'readline', 'repl', 'stream', 'string_decoder',
    'sys', 'timers', 'tls', 'trace_events', 'tty', 'url', 'util', 'v8', 'vm', 'wasi', 'worker_threads', 'zlib',
  ];

  // A module of node's own by its name, or nothing.
  function own(request) {
    const bare = request.startsWith('node:') ? request.slice('node:'.length) : request;
    if (Object.hasOwn(builtin, bare)) return builtin[bare];
    if (bare === request && !names.includes(bare.split('/')[0])) return undefined;
    return (builtin[bare] = lacking(bare));
  }

  return { ask, builtin, only, own, partly, path };
})
