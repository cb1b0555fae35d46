// A real browser against both servers. ECHO and BROADCAST are their ports.
'use strict';
const { Browser, sleep } = require('./cdp.js');
const { equal, ok, start, run } = require('./peer.js');

const echo = `ws://localhost:${process.env.ECHO}`;
const home = `http://localhost:${process.env.BROADCAST}/`;
let browser;
let version;
let console_; // a tab, for its console

async function begin() {
  browser = await Browser.start();
  version = (await browser.call('Browser.getVersion')).product;
  console_ = await browser.open(home);
}

// ---- The tutorial's lines, typed into the console

async function tutorial() {
  const type = line => console_.run(line);
  equal(await type(`var ws = new WebSocket('${echo}');
    ws.onopen = () => { window.opened = ws.readyState }; ws.readyState`), 0);
  await console_.until('window.opened === 1', 'onopen');
  await type('var heard = []; ws.onmessage = event => heard.push(event.data)');
  await type("ws.send('Hello from the console')");
  await type("ws.send(JSON.stringify({ name: 'caws', is: ['a', 'crow'] }))");
  await console_.until('heard.length === 2');
  equal(await type('heard'), ['Hello from the console', '{"name":"caws","is":["a","crow"]}']);
  equal(await type('[ws.protocol, ws.extensions, ws.bufferedAmount]'), ['', '', 0]);
  await type('ws.onclose = e => { window.end = [e.code, e.reason, e.wasClean, ws.readyState] }');
  equal(await type('ws.close(); ws.readyState'), 2);
  await console_.until('window.end');
  equal(await type('end'), [1005, '', true, 3]);
}

// One connection: sends, waits for as many echoes, and tells what they are.
function exchange(setup, sends, count) {
  return console_.run(`await new Promise((done, failed) => {
    const ws = new WebSocket('${echo}'), heard = [];
    setTimeout(() => failed(new Error('heard ' + heard.length)), 10000);
    ${setup}
    ws.onopen = () => { ${sends} };
    ws.onmessage = event => {
      heard.push(event.data);
      if (heard.length === ${count}) { ws.close(); done(Promise.all(heard.map(tell))); }
    };
    async function tell(data) {
      if (typeof data === 'string') return [data.length, data.slice(0, 20)];
      const kind = data.constructor.name;
      const bytes = new Uint8Array(data.arrayBuffer ? await data.arrayBuffer() : data);
      let sum = 0;
      for (const byte of bytes) sum += byte;
      return [kind, bytes.length, sum];
    }
  })`);
}

async function messages() {
  const many = 'h\u00e9 \u4e16\u754c \u{1f426}';
  const sends = `ws.send(''); ws.send('${many}'); ws.send('\\ud800'); ws.send('x'.repeat(1 << 20))`;
  equal(await exchange('', sends, 4),
    [[0, ''], [8, many], [1, '\ufffd'], [1 << 20, 'x'.repeat(20)]]);
}

async function binary() {
  const sends = `ws.send(new Uint8Array([1, 2, 250]).buffer); ws.send(new Uint8Array(0));
    ws.send(new Blob([new Uint8Array(70000).fill(3)]));
    ws.send(new DataView(new ArrayBuffer(9), 2, 5));
    ws.send(new Uint8Array(1 << 20).fill(1))`;
  const wanted = kind => [[kind, 3, 253], [kind, 0, 0], [kind, 70000, 210000], [kind, 5, 0],
    [kind, 1 << 20, 1 << 20]];
  equal(await exchange('', sends, 5), wanted('Blob'), 'as Blob');
  equal(await exchange("ws.binaryType = 'arraybuffer';", sends, 5), wanted('ArrayBuffer'),
    'as ArrayBuffer');
}

async function burst() {
  equal(await console_.run(`await new Promise(done => {
    const ws = new WebSocket('${echo}');
    let next = 0;
    ws.onopen = () => {
      for (let i = 0; i < 20000; i++) ws.send('m' + i);
      window.waits = ws.bufferedAmount;
    };
    ws.onmessage = e => {
      if (e.data !== 'm' + next) done('message ' + next + ' is ' + e.data);
      if (++next === 20000) done('all, ' + ws.bufferedAmount + ' buffered');
    };
    ws.onclose = e => done('closed ' + e.code);
  })`), 'all, 0 buffered');
  ok(await console_.run('waits > 0'), 'bufferedAmount grows inside one task');
}

function ending(url, protocols, then) {
  return console_.run(`await new Promise(done => {
    const ws = new WebSocket('${url}', ${JSON.stringify(protocols)});
    let failed = false;
    ws.onerror = () => { failed = true; };
    ws.onopen = () => { ${then} };
    ws.onclose = e => done([e.code, e.reason, e.wasClean, failed]);
  })`);
}

// The answer to a Close has its code, and no reason (5.5.1).
async function closeCodes() {
  equal(await ending(echo, [], 'ws.close(1000)'), [1000, '', true, false]);
  equal(await ending(echo, [], "ws.close(3000, 'three')"), [3000, '', true, false]);
  equal(await ending(echo, [], `ws.close(4999, '${'\u00e9'.repeat(61)}')`),
    [4999, '', true, false]);
  equal(await ending(echo, [], 'ws.send(new Uint8Array((1 << 20) + 1))').then(end => end[0]), 1009);
}

async function subprotocol() {
  equal(await ending(echo, ['chat'], ''), [1006, '', false, true], 'a browser wants an answer');
}

// ---- The page, in two tabs

async function twoTabs() {
  const server = await start('broadcast_server');
  const url = server.url.replace('ws:', 'http:');
  const [here, there] = [await browser.open(url), await browser.open(url)];
  const log = "document.getElementById('log')";
  const logs = async (text, what = text) => {
    for (const tab of [here, there])
      await tab.until(`${log}.textContent.includes(${JSON.stringify(text)})`, what);
    ok(true);
  };
  for (const tab of [here, there])
    await tab.until("document.getElementById('state').textContent === 'OPEN'", 'OPEN');
  await here.call('Page.bringToFront');
  equal(await here.run('document.activeElement.id'), 'text', 'the box has the focus');
  await here.type('<b>caw</b> from the first tab');
  await here.press('Enter', 'Enter', 13);
  await logs('<b>caw</b> from the first tab');
  equal(await here.run("document.getElementById('text').value"), '', 'the box is empty again');
  equal(await here.run("document.querySelectorAll('#log b').length"), 0, 'text is not markup');
  equal(await here.run("document.querySelectorAll('#log .own').length"), 1, 'ours is marked');
  equal(await there.run("document.querySelectorAll('#log .own').length"), 0, 'theirs is not');
  await there.run("document.getElementById('json').click()");
  await logs('{\n  "from"', 'JSON, pretty');
  await there.run("document.getElementById('binary').click()");
  await logs('63 61 77', 'a hex dump');
  await here.run("document.getElementById('toggle').click()");
  await here.until("document.getElementById('state').textContent === 'CLOSED'", 'CLOSED');
  equal(await there.run("document.getElementById('state').textContent"), 'OPEN', 'the other stays');
  await here.run("document.getElementById('toggle').click()");
  await here.until("document.getElementById('state').textContent === 'OPEN'", 'OPEN again');
  server.child.kill('SIGTERM');
  for (const tab of [here, there])
    await tab.until("document.getElementById('log').textContent.includes('code 1001')", '1001');
  equal(await there.run("document.querySelector('[aria-current]').textContent"), '3 CLOSED');
  equal(await server.ended, [0, null], 'exit status');
  for (const tab of [here, there]) await tab.close();
}

async function end() {
  await browser.stop();
  await sleep(0);
}

begin().then(() => run(`chromium ${version.replace(/.*\//, '')}`,
  [tutorial, messages, binary, burst, closeCodes, subprotocol, twoTabs, end]), error => {
  console.log(`chromium: FAILED to start: ${error.message}`);
  process.exit(1);
});
