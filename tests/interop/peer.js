// What the peers written in JavaScript share: checks, servers of their own, the last line.
'use strict';
const assert = require('assert');
const { spawn } = require('child_process');
const path = require('path');

const EXAMPLES = path.join(process.env.BUILD || 'build', 'examples');
const servers = new Set();
let checks = 0;

function equal(is, wanted, what) {
  checks++;
  assert.deepStrictEqual(is, wanted, what && `${what}: ${short(is)}, not ${short(wanted)}`);
}

function ok(is, what) {
  checks++;
  assert.ok(is, what);
}

function short(value) {
  const text = JSON.stringify(value);
  return text && text.length > 120 ? text.slice(0, 120) + '...' : text;
}

function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, failed) => {
    timer = setTimeout(() => failed(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function event(emitter, name, ms = 10000) {
  const happens = new Promise(done => emitter.once(name, (...args) => done(args)));
  return within(ms, `event "${name}"`, happens);
}

// Looks again and again; the caller says what it means if this ends too late.
async function until(condition, ms) {
  for (const end = Date.now() + ms; !condition() && Date.now() < end;)
    await new Promise(done => setTimeout(done, 5));
}

function example(name, args, stdio) {
  const child = spawn(path.join(EXAMPLES, name), args, { stdio });
  servers.add(child);
  child.once('exit', () => servers.delete(child));
  return child;
}

// An example of its own, on any free port, whose stdout is kept in lines.
async function start(name, ...options) {
  const child = example(name, ['--port', '0', ...options], ['ignore', 'pipe', 'inherit']);
  const server = { child, text: '', ended: event(child, 'exit', 60000) };
  const first = new Promise(done => child.stdout.on('data', chunk => {
    server.text += chunk;
    if (server.text.includes('\n')) done();
  }));
  await within(5000, `${name} is ready`, Promise.race([first, server.ended]));
  const found = /^listening on (ws:\/\/127\.0\.0\.1:(\d+)\/)\n/.exec(server.text);
  ok(found, `first line of ${name}: ${short(server.text)}`);
  server.url = found[1];
  server.port = Number(found[2]);
  return server;
}

process.on('exit', () => servers.forEach(child => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

// Runs the tests one after another; one line tells how it ended.
async function run(peer, tests) {
  for (const test of tests) {
    try {
      await within(40000, test.name, test());
    } catch (error) {
      console.log(`${peer}: FAILED in ${test.name}: ${error.message}`);
      if (process.env.V) console.log(error.stack);
      process.exit(1);
    }
  }
  console.log(`${peer}: ok (${checks} checks)`);
  process.exit(0);
}

module.exports = { equal, ok, within, event, until, example, start, run };
