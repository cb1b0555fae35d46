// Stands in for an Autobahn fuzzing server, over raw sockets: some of its cases, against
// build/tests/autobahn_client.
'use strict';
const { createHash } = require('crypto');
const { spawn } = require('child_process');
const net = require('net');
const path = require('path');
const { equal, ok, event, run } = require('./peer.js');

const CLIENT = path.join(process.env.BUILD || 'build', 'tests', 'autobahn_client');
const AGENT = 'caws/0.1 & crow \u00e9?#%';
const ENCODED = 'caws%2F0.1%20%26%20crow%20%C3%A9%3F%23%25';
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;

// ---- Frames

// first: FIN, the reserved bits and the opcode. A length may be announced that does not come.
function frame(first, payload = '', announced = undefined) {
  const body = Buffer.from(payload);
  const length = announced ?? body.length;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
  head[0] = first;
  head[1] = length < 126 ? length : length < 65536 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, body]);
}
const whole = (opcode, payload) => frame(0x80 | opcode, payload);
const close = (code, reason = '') =>
  whole(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));
const pieces = (opcode, ...parts) => parts.map((part, i) =>
  frame((i ? 0 : opcode) | (i === parts.length - 1 ? 0x80 : 0), part));
const bytewise = bytes => [...bytes].map(byte => Buffer.from([byte]));

// ---- The cases: what is sent; the frames that come back; the code of the client's Close

const big = Buffer.alloc(16 << 20, 'caw!');
const echo = (opcode, payload) => ({ sends: [whole(opcode, payload)], back: [[opcode, payload]] });
const fails = (code, ...sends) => ({ sends, code, failed: true });
const CASES = [
  echo(TEXT, 'Hello'), echo(TEXT, ''), echo(TEXT, 'h\u00e9 \u4e16\u754c \u{1f426}'),
  echo(BINARY, ''), echo(BINARY, Buffer.from([0, 255, 127, 128])),
  echo(BINARY, Buffer.alloc(126, 7)), echo(TEXT, 'x'.repeat(65536)),
  echo(BINARY, big), { sends: [Buffer.concat(pieces(TEXT, 'a', '', 'b'))], back: [[TEXT, 'ab']] },
  { sends: bytewise(whole(TEXT, 'octets \u20ac')), back: [[TEXT, 'octets \u20ac']] },
  { sends: pieces(BINARY, ...Array.from({ length: 5000 }, () => 'p')),
    back: [[BINARY, 'p'.repeat(5000)]] },
  { sends: [frame(TEXT, 'one, '), whole(PING, 'between'), frame(0x80, 'two')],
    back: [[PONG, 'between'], [TEXT, 'one, two']] },
  { sends: Array.from({ length: 10 }, (_, i) => whole(PING, `${i}`)),
    back: Array.from({ length: 10 }, (_, i) => [PONG, `${i}`]) },
  { sends: [whole(PONG, 'unasked'), whole(TEXT, 'after')], back: [[TEXT, 'after']] },
  { sends: pieces(TEXT, Buffer.from([0xe2]), Buffer.from([0x82]), Buffer.from([0xac])),
    back: [[TEXT, '\u20ac']] },
  { sends: [close(1000, 'bye')], code: 1000 }, { sends: [close(4999)], code: 4999 },
  { sends: [whole(CLOSE, '')], code: 1005 },
  { sends: [whole(TEXT, 'last'), close(3000)], back: [[TEXT, 'last']], code: 3000 },
  // A text's first bad byte ends it, though neither the frame nor the message is all there.
  fails(1007, frame(TEXT, Buffer.from('good \u20ac')), frame(0, Buffer.from([0xed, 0xa0]), 500)),
  fails(1007, whole(TEXT, Buffer.from([0xc0, 0xaf]))),
  fails(1007, whole(CLOSE, Buffer.from([3, 232, 0xff]))),
  { ...fails(1002, whole(TEXT, 'fine'), frame(0xc1, 'RSV1')), back: [[TEXT, 'fine']] },
  fails(1002, frame(0xa2, 'RSV2')), fails(1002, frame(0x83, 'opcode 3')),
  fails(1002, frame(0x80, 'continues nothing')), fails(1002, frame(0x09, 'a Ping in pieces')),
  fails(1002, whole(PING, 'x'.repeat(126))), fails(1002, frame(TEXT, 'a'), whole(TEXT, 'b')),
  fails(1002, close(1005)), fails(1002, whole(CLOSE, 'x')),
  fails(1009, frame(0x82, 'is not all', (64 << 20) + 1)),
];

// ---- The server

// The next n bytes; fewer, if that is all there will be.
async function take(socket, n) {
  for (const end = Date.now() + 5000; n > 0; ) {
    const bytes = socket.read(n);
    if (bytes) return bytes;
    if (socket.readableEnded || socket.destroyed || Date.now() > end) break;
    await new Promise(done => {
      socket.wake = done;
      setTimeout(done, 5000).unref();
    });
  }
  return Buffer.alloc(0);
}

async function takeFrame(socket) {
  const [first, second] = await take(socket, 2);
  if (second === undefined) return null;
  let length = second & 127;
  if (length === 126) length = (await take(socket, 2)).readUInt16BE();
  else if (length === 127) length = Number((await take(socket, 8)).readBigUInt64BE());
  const key = await take(socket, second > 127 ? 4 : 0);
  const payload = Buffer.from(await take(socket, length));
  if (key.length) for (let i = 0; i < length; i++) payload[i] ^= key[i & 3];
  return { first, payload, key: key.toString('hex') };
}

async function upgrade(socket, accepts) {
  let head = '';
  while (!head.includes('\r\n\r\n')) {
    const byte = await take(socket, 1);
    if (!byte.length) return null;
    head += byte.toString('latin1');
  }
  const target = /^GET (\S+) HTTP\/1\.1\r\n/.exec(head)[1];
  const key = /\r\nSec-WebSocket-Key: (\S+)/i.exec(head)[1];
  const accept = createHash('sha1').update(key + GUID).digest('base64');
  if (!accepts(target)) socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
  else socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n' +
    `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  return accepts(target) ? target : null;
}

// What of a case goes wrong becomes a line of log.
async function visit(socket, { count, cases, accepts, log }) {
  const target = await upgrade(socket, accepts);
  if (!target) return;
  const n = Number(/^\/runCase\?case=(\d+)&agent=(.*)$/.exec(target)?.[1] ?? 0);
  const counted = { sends: [whole(TEXT, count)] };
  const { sends, back = [], code, failed } =
    n ? cases[n - 1] : target === '/getCaseCount' ? counted : { sends: [] };
  log.targets.push(target);
  for (const bytes of sends) socket.write(bytes);
  const expect = async (opcode, payload) => {
    const is = await takeFrame(socket);
    if (is?.first !== (0x80 | opcode) || !is.payload.subarray(0, payload.length).equals(payload) ||
        (opcode !== CLOSE && is.payload.length !== payload.length))
      log.wrong.push(`case ${n}: opcode ${is?.first & 15}, ${is?.payload.subarray(0, 60)}`);
    if (is && !is.key) log.wrong.push(`case ${n}: not masked`);
    if (is) log.keys.push(is.key);
  };
  for (const [opcode, payload] of back) await expect(opcode, Buffer.from(payload));
  if (code === undefined) socket.write(close(1000));
  await expect(CLOSE, code === 1005 ? Buffer.alloc(0) : close(code ?? 1000).subarray(2, 4));
  if (failed) socket.write(close(code));
  socket.end();
}

async function serve(options) {
  const log = { targets: [], wrong: [], keys: [] };
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    for (const name of ['readable', 'end', 'close']) socket.on(name, () => socket.wake?.());
    socket.on('error', () => {}); // what it means shows in what is missing
    visit(socket, { accepts: () => true, cases: [], ...options, log })
      .catch(error => { log.wrong.push(error.stack); });
  });
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  server.unref();
  return { log, url: `ws://127.0.0.1:${server.address().port}` };
}

// ---- The client

async function client(...args) {
  const child = spawn(CLIENT, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout.on('data', chunk => { said.out += chunk; });
  child.stderr.on('data', chunk => { said.err += chunk; });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  said.status = (await event(child, 'close', 60000))[0];
  process.off('exit', kill);
  return said;
}

async function everyCase() {
  const { log, url } = await serve({ count: `${CASES.length}`, cases: CASES });
  const { out, err, status } = await client(url, AGENT);
  equal([log.wrong, err, status], [[], '', 0]);
  const numbers = CASES.map((_, i) => i + 1);
  equal(log.targets, ['/getCaseCount',
    ...numbers.map(n => `/runCase?case=${n}&agent=${ENCODED}`), `/updateReports?agent=${ENCODED}`]);
  const lines = out.split('\n');
  for (const n of numbers) {
    const { code = 1000, failed } = CASES[n - 1];
    // Who fails a connection hears no answer (7.1.7); what it sent, expect() has seen.
    const wanted = failed ? `^case ${n}: 1006, not clean: .+RFC 6455` : `^case ${n}: ${code}$`;
    ok(new RegExp(wanted).test(lines[n - 1]), `${wanted}: ${lines[n - 1]}`);
  }
  equal(lines.slice(CASES.length),
    [`${CASES.length} cases were run, and the reports are written`, '']);
  const twice = log.keys.length - new Set(log.keys).size;
  ok(log.keys.length > CASES.length && twice < 3, `${twice} masking keys came again`);
}

async function noCase() {
  const { log, url } = await serve({ count: '0' });
  const { out, status } = await client(`${url}/`, 'a');
  equal([out, status, log.targets],
    ['0 cases were run, and the reports are written\n', 0,
      ['/getCaseCount', '/updateReports?agent=a']]);
}

async function mistakes() {
  const uncounted = await serve({ count: 'many' });
  const closed = await serve({ count: '2', cases: CASES, accepts: url => !/case=2/.test(url) });
  const tries = [
    [[], 2, /^usage: /], [['ws://localhost:1'], 2, /^usage: /],
    [['ws://localhost:1', 'a', 'b'], 2, /^usage: /], [['ws://localhost:1', ''], 2, /^usage: /],
    [['http//localhost', 'a'], 1, /not a ws/], [['wss://localhost', 'a'], 1, /TLS/],
    [['ws://127.0.0.1:1', 'a'], 1, /refused/i], [['ws://no.such.host.invalid', 'a'], 1, /./],
    [[uncounted.url, 'a'], 1, /no number/], [[closed.url, 'a'], 1, /case=2.*: .*101/],
  ];
  for (const [args, status, said] of tries) {
    const is = await client(...args);
    equal(is.status, status, args.join(' '));
    ok(said.test(is.err) && /^[^\n]+\n$/.test(is.err), `one sentence for ${args}: ${is.err}`);
  }
}

run('autobahn client', [everyCase, noCase, mistakes]);
