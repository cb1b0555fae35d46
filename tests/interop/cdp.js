// A headless Chromium over the DevTools protocol: no more than these tests need.
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const WebSocket = require('ws');

const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage',
  '--no-first-run', '--no-default-browser-check', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-extensions', '--disable-default-apps',
  '--disable-domain-reliability', '--disable-client-side-phishing-detection',
  '--metrics-recording-only', '--no-pings', '--mute-audio', '--remote-debugging-port=0',
];

class Browser {
  static async start(binary = process.env.CHROMIUM || 'chromium') {
    const browser = new Browser();
    browser.profile = fs.mkdtempSync(path.join(os.tmpdir(), 'caws-chromium-'));
    browser.process = spawn(binary, [...FLAGS, `--user-data-dir=${browser.profile}`, 'about:blank'],
      { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    process.on('exit', () => browser.kill());
    const address = await browser.address();
    browser.calls = new Map();
    browser.next = 1;
    browser.socket = new WebSocket(address, { perMessageDeflate: false, maxPayload: 1 << 28 });
    browser.socket.on('message', data => browser.answered(JSON.parse(data)));
    await new Promise((done, failed) => browser.socket.once('open', done).once('error', failed));
    return browser;
  }

  // Chromium says on stderr where it listens.
  address() {
    return new Promise((done, failed) => {
      let text = '';
      const late = setTimeout(() => failed(new Error('chromium does not start:\n' + text)), 30000);
      this.process.once('error', failed);
      this.process.once('exit', code => failed(new Error(`chromium ended (${code}):\n` + text)));
      this.process.stderr.on('data', chunk => {
        text += chunk;
        const found = /DevTools listening on (ws:\S+)/.exec(text);
        if (!found) return;
        clearTimeout(late);
        done(found[1]);
      });
    });
  }

  call(method, params = {}, sessionId = undefined) {
    const id = this.next++;
    this.socket.send(JSON.stringify({ id, method, params, sessionId }));
    return new Promise((done, failed) => this.calls.set(id, { done, failed, method }));
  }

  answered(message) {
    const call = this.calls.get(message.id);
    if (!call) return;
    this.calls.delete(message.id);
    if (message.error) call.failed(new Error(`${call.method}: ${message.error.message}`));
    else call.done(message.result);
  }

  async open(url) {
    const { targetId } = await this.call('Target.createTarget', { url });
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
    const tab = new Tab(this, targetId, sessionId);
    await tab.until(`document.readyState === 'complete' && location.href !== 'about:blank'`, url);
    return tab;
  }

  async stop() {
    const ended = new Promise(done => this.process.once('exit', done));
    await Promise.race([this.call('Browser.close').catch(() => {}), sleep(3000)]);
    this.socket.terminate();
    await Promise.race([ended, sleep(3000)]);
    this.kill();
  }

  // Its helpers may outlive it, so: the whole process group, however this ends.
  kill() {
    if (!this.profile) return;
    try {
      process.kill(-this.process.pid, 'SIGKILL');
    } catch {
      // there is none left
    }
    fs.rmSync(this.profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    this.profile = null;
  }
}

class Tab {
  constructor(browser, targetId, sessionId) {
    Object.assign(this, { browser, targetId, sessionId });
  }

  call(method, params) { return this.browser.call(method, params, this.sessionId); }

  // What a line typed into the console does.
  async run(expression) {
    const { result, exceptionDetails: fault } = await this.call('Runtime.evaluate',
      { expression, awaitPromise: true, returnByValue: true, replMode: true, userGesture: true });
    if (fault) throw new Error(fault.exception?.description ?? fault.text);
    return result.value;
  }

  async until(expression, what = expression, ms = 10000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(25))
      if (await this.run(expression)) return;
    throw new Error(`not within ${ms} ms: ${what}`);
  }

  // Keys as a person presses them, into whatever has the focus.
  async type(text) {
    await this.call('Input.insertText', { text });
  }

  async press(key, code, keyCode) {
    const text = key === 'Enter' ? '\r' : undefined;
    const event = { key, code, windowsVirtualKeyCode: keyCode, text };
    await this.call('Input.dispatchKeyEvent', { type: 'keyDown', ...event });
    await this.call('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
  }

  close() { return this.browser.call('Target.closeTarget', { targetId: this.targetId }); }
}

function sleep(ms) { return new Promise(done => setTimeout(done, ms)); }

module.exports = { Browser, sleep };
