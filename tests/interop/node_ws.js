// node's ws against both servers. ECHO and BROADCAST are their ports.
'use strict';
const { spawn } = require('child_process');
const http = require('http');
const net = require('net');
const WebSocket = require('ws');
const { equal, ok, within, event, until, example, start, run } = require('./peer.js');

const echo = `ws://localhost:${process.env.ECHO}`;
const broadcast = `ws://localhost:${process.env.BROADCAST}`;

async function open(url, protocols, options) {
  const ws = new WebSocket(url, protocols, options);
  ws.heard = [];
  ws.on('message', (data, binary) => ws.heard.push(binary ? data : data.toString()));
  await event(ws, 'open');
  return ws;
}

async function hears(ws, count, ms = 15000) {
  await until(() => ws.heard.length >= count || ws.readyState !== 1, ms);
  ok(ws.heard.length >= count, `${ws.heard.length} of ${count} messages heard`);
  return ws.heard;
}

async function closed(ws, ...how) {
  const gone = event(ws, 'close');
  ws.close(...how);
  const [code, reason] = await gone;
  return [code, reason.toString()];
}

// ---- The tutorial's lines, typed into a real REPL

async function repl() {
  const child = spawn(process.execPath, ['-i'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', chunk => { text += chunk; });
  const type = async (line, answer) => {
    text = '';
    child.stdin.write(line + '\n');
    await until(() => answer.test(text), 5000);
    ok(answer.test(text), `after "${line}" the REPL says ${JSON.stringify(text)}`);
  };
  await type("var WebSocket = require('ws')", /undefined/);
  await type('var log = console.log', /undefined/);
  await type(`var ws = new WebSocket('${echo}'); ws.onopen = () => log('open'); ws.readyState`,
    /0[^]*open/);
  await type("ws.onmessage = event => console.log('got:', event.data)", /Function/);
  await type('ws.readyState', /1/);
  await type("ws.send('Hello from the REPL')", /got: Hello from the REPL/);
  await type("ws.send(JSON.stringify({ name: 'caws', is: ['a', 'crow'] }))",
    /got: \{"name":"caws","is":\["a","crow"\]\}/);
  await type('ws.send(Buffer.from([0, 1, 254, 255]))', /got: <Buffer 00 01 fe ff>/);
  await type("ws.onclose = e => console.log('closed:', e.code, e.wasClean)", /Function/);
  await type('ws.close(); ws.readyState', /2[^]*closed: 1005 true/);
  await type('ws.readyState', /3/);
  const end = event(child, 'exit');
  child.stdin.end('.exit\n');
  await end;
}

// ---- Echo

async function messages() {
  const ws = await open(echo);
  const sent = ['caw', '', 'h\u00e9, \u4e16\u754c \u{1f426}', JSON.stringify({ a: [1, 2.5] })];
  sent.push('x'.repeat(1 << 20));
  for (const n of [0, 1, 125, 126, 127, 65535, 65536, 1 << 20])
    sent.push(Buffer.alloc(n, n & 0xff));
  for (const message of sent) ws.send(message);
  const heard = await hears(ws, sent.length);
  const same = (a, b) => typeof a === 'string' ? a === b : a.equals(b);
  sent.forEach((message, i) => ok(same(message, heard[i]), `message ${i} comes back`));
  equal(ws.extensions, '', 'no extension');
  equal(await closed(ws, 1000, 'done'), [1000, '']);
}

async function pings() {
  const ws = await open(echo);
  const pongs = [];
  ws.on('pong', data => pongs.push(data.toString()));
  for (let i = 0; i < 10; i++) ws.ping('ping ' + i);
  ws.ping();
  ws.ping('p'.repeat(125));
  ws.pong('unasked');
  ws.send('after');
  await hears(ws, 1);
  const wanted = [...Array(10).keys()].map(i => 'ping ' + i);
  equal(pongs, [...wanted, '', 'p'.repeat(125)], 'pongs');
  ws.terminate();
}

async function fragments() {
  const ws = await open(echo);
  ws.send('one, ', { fin: false });
  ws.send('two, ', { fin: false });
  ws.ping('between');
  ws.send('', { fin: false });
  ws.send('three', { fin: true });
  for (let i = 0; i < 1000; i++) ws.send(Buffer.alloc(64, i), { binary: true, fin: i === 999 });
  const [text, binary] = await hears(ws, 2);
  equal(text, 'one, two, three');
  equal(binary.length, 64000);
  ok(binary.every((byte, i) => byte === (i >> 6 & 0xff)), 'the bytes of a thousand fragments');
  ws.terminate();
}

// The answer to a Close has its code, and no reason (5.5.1).
async function closeCodes() {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
    equal(await closed(await open(echo), code, 'reason ' + code), [code, '']);
  equal(await closed(await open(echo)), [1005, ''], 'no status');
  equal(await closed(await open(echo), 1000, '\u00e9'.repeat(61)), [1000, '']);
  const ws = await open(echo);
  equal(ws.readyState, 1);
  ws.close();
  equal(ws.readyState, 2);
  await event(ws, 'close');
  equal(ws.readyState, 3);
}

async function closeAfterMessages() {
  const ws = await open(echo);
  for (let i = 0; i < 100; i++) ws.send('last words ' + i);
  equal(await closed(ws, 1000), [1000, '']);
  equal(ws.heard.length, 100, 'the echoes leave ahead of the Close');
}

async function bufferedAmount() {
  const ws = await open(echo.replace('localhost', '127.0.0.1')); // where node counts them at once
  const big = Buffer.alloc(1 << 20, 7);
  for (let i = 0; i < 64; i++) ws.send(big);
  ok(ws.bufferedAmount > 0, 'bytes wait in the client');
  await hears(ws, 64);
  equal(ws.bufferedAmount, 0);
  ws.terminate();
}

async function tooBig() {
  const ws = await open(echo);
  const gone = event(ws, 'close');
  ws.send(Buffer.alloc((1 << 20) + 1));
  equal((await gone)[0], 1009);
}

// ---- The opening handshake

async function subprotocol() {
  const ws = new WebSocket(echo, ['chat', 'superchat']);
  const [error] = await event(ws, 'error');
  equal(error.message, 'Server sent no subprotocol', 'the 101 leaves an offer unanswered');
}

function get(port, target, headers = {}) {
  return within(5000, target, new Promise((done, failed) => {
    const where = { host: 'localhost', family: 4, port, path: target, headers, agent: false };
    const request = http.get(where);
    request.on('error', failed);
    request.on('upgrade', (answer, socket) => {
      socket.destroy();
      done({ status: answer.statusCode, headers: answer.headers });
    });
    request.on('response', answer => {
      let body = '';
      answer.setEncoding('utf8').on('data', chunk => { body += chunk; });
      answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, body }));
    });
  }));
}

const UPGRADE = {
  connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

async function handshake() {
  const { status, headers } = await get(process.env.ECHO, '/chat?x=1', {
    ...UPGRADE, origin: 'https://example.org', 'sec-websocket-protocol': 'chat',
    'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
  });
  equal(status, 101);
  equal(headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  equal(headers['sec-websocket-protocol'], undefined);
  equal(headers['sec-websocket-extensions'], undefined);
  const old = await get(process.env.ECHO, '/', { ...UPGRADE, 'sec-websocket-version': '8' });
  equal([old.status, old.headers['sec-websocket-version']], [426, '13']);
  const bad = { ...UPGRADE, 'sec-websocket-key': 'short' };
  equal((await get(process.env.ECHO, '/', bad)).status, 400);
  equal((await get(process.env.ECHO, '/', { ...UPGRADE, host: 'evil.example' })).status, 403);
}

async function page() {
  const { status, headers, body } = await get(process.env.BROADCAST, '/');
  equal([status, headers['content-type']], [200, 'text/html; charset=utf-8']);
  ok(body.startsWith('<!doctype html>') && body.trimEnd().endsWith('</html>'), 'the whole page');
  equal(Number(headers['content-length']), Buffer.byteLength(body));
  equal((await get(process.env.BROADCAST, '/nothing')).status, 404);
}

// ---- Broadcast

async function flock() {
  const crows = await Promise.all([...Array(8).keys()].map(() => open(broadcast)));
  for (let round = 0; round < 50; round++)
    for (const [i, crow] of crows.entries())
      crow.send(round % 2 ? `${i} says ${round}` : Buffer.from([i, round]));
  const [first, ...rest] = await Promise.all(crows.map(crow => hears(crow, 400)));
  for (const heard of rest) equal(heard, first, 'all hear the same in the same order');
  crows.forEach((_, i) => equal(first.filter(m => typeof m === 'string' && m.startsWith(i + ' ')),
    [...Array(25).keys()].map(k => `${i} says ${2 * k + 1}`), 'what one says keeps its order'));
  const late = await open(broadcast);
  crows[0].send('x'.repeat(1 << 20));
  const heard = await hears(late, 1);
  equal(heard.map(m => m.length), [1 << 20], 'who comes late hears what comes after');
  for (const crow of [...crows, late]) crow.terminate();
}

// ---- Flow control: sends 28 MB before it reads the first echo

async function nothingLost() {
  const count = 4000000;
  const server = await start('echo_server', '--quiet', '--max-message', '4096');
  const socket = net.connect(server.port, '127.0.0.1');
  const lines = Object.entries(UPGRADE).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`GET / HTTP/1.1\r\nhost: localhost\r\n${lines}\r\n`);
  const [head] = await event(socket, 'data');
  ok(head.toString().startsWith('HTTP/1.1 101 '), 'upgraded');
  socket.pause();
  socket.write(Buffer.alloc(7 * count, Buffer.from([0x82, 0x81, 0, 0, 0, 0, 7])));
  await new Promise(done => setTimeout(done, 1500));
  const frame = [0x82, 1, 7];
  let bytes = 0, wrong = 0;
  socket.on('data', chunk => {
    for (const byte of chunk) wrong += byte !== frame[bytes++ % 3];
    if (bytes >= 3 * count) socket.emit('all');
  });
  socket.resume();
  await event(socket, 'all', 30000).catch(() => {});
  equal([bytes, wrong], [3 * count, 0], 'bytes of four million echoes, and wrong ones');
  socket.destroy();
  server.child.kill('SIGKILL');
}

// ---- The program

async function lines() {
  const server = await start('echo_server');
  const ws = await open(server.url);
  const sent = ['plain', 'a\nb\t\u001b[31m\u007f\u009b', '\u00e9'.repeat(101), Buffer.alloc(300)];
  for (const message of sent) ws.send(message);
  await hears(ws, sent.length);
  ws.terminate();
  await until(() => server.text.split('received: ').length === 5, 3000);
  equal(server.text.split('\n').filter(line => line.startsWith('received: ')), [
    'received: plain', 'received: a\\x0ab\\x09\\x1b[31m\\x7f\\xc2\\x9b',
    `received: ${'\u00e9'.repeat(100)}... (202 bytes)`, 'received: 300 bytes',
  ]);
  server.child.kill('SIGTERM');
  equal(await server.ended, [0, null], 'exit status');
}

async function goingAway() {
  for (const [name, signal] of [['echo_server', 'SIGTERM'], ['broadcast_server', 'SIGINT']]) {
    const server = await start(name);
    const crows = await Promise.all([1, 2, 3].map(() => open(server.url)));
    const gone = crows.map(crow => event(crow, 'close'));
    server.child.kill(signal);
    equal((await Promise.all(gone)).map(([code]) => code), [1001, 1001, 1001], signal);
    equal(await server.ended, [0, null], 'exit status');
  }
}

async function mistakes() {
  const tries = [
    [['--port', 'x'], 2, /--port/], [['--port', '65536'], 2, /--port/],
    [['--max-message', '-1'], 2, /--max-message/], [['--max-conns'], 2, /--max-conns/],
    [['--nonsense'], 2, /--nonsense/], [['extra'], 2, /extra/],
    [['--port', process.env.ECHO], 1, /in use/],
  ];
  for (const [args, status, said] of tries) {
    const child = example('echo_server', args, ['ignore', 'ignore', 'pipe']);
    let text = '';
    child.stderr.on('data', chunk => { text += chunk; });
    equal((await event(child, 'close', 3000))[0], status, args.join(' '));
    ok(said.test(text) && /^[^\n]+\n$/.test(text), `one sentence for ${args.join(' ')}: ${text}`);
  }
}

run(`node ws ${require('ws/package.json').version}`, [
  repl, messages, pings, fragments, closeCodes, closeAfterMessages, bufferedAmount, tooBig,
  subprotocol, handshake, page, flock, nothingLost, lines, goingAway, mistakes,
]);
