"""cawscat, connecting and listening, against the echo server, node's ws and Python's websockets."""
import asyncio
import logging
import os
import signal
import socket
import sys

import websockets

EXAMPLES = os.path.join(os.environ.get('BUILD', 'build'), 'examples')
ECHO = 'ws://127.0.0.1:' + os.environ['ECHO']
PIPE = asyncio.subprocess.PIPE
checks = 0

NODE_ECHO = '''
const server = new (require('ws').Server)({ host: '127.0.0.1', port: 0, maxPayload: 1 << 28 });
server.on('listening', () => console.log(server.address().port));
server.on('connection', ws => ws.on('message', (data, binary) => ws.send(data, { binary })));
'''
# Says three things, prints what comes, and with which code it ends.
NODE_CLIENT = '''
const ws = new (require('ws'))(process.argv[1]);
ws.on('open', () => ['one', 'two', 'three'].forEach(text => ws.send(text)));
ws.on('message', (data, binary) => console.log(binary, data.toString()));
ws.on('close', code => console.log(code));
'''


def equal(found, wanted, what):
    global checks
    checks += 1
    if found != wanted:
        raise AssertionError('%s: %.150r, not %.150r' % (what, found, wanted))


def start(*command, **options):
    return asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE,
                                          limit=1 << 22, **options)


def cawscat(*args):
    return start(os.path.join(EXAMPLES, 'cawscat'), *args)


async def cat(stdin, *args):
    """stdout, exit status, lines of stderr"""
    child = await cawscat(*args)
    out, err = await asyncio.wait_for(child.communicate(stdin), 30)
    return out, child.returncode, err.count(b'\n')


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return str(s.getsockname()[1])


async def listening(port, *args):
    child = await cawscat('--listen', port, *args)
    for _ in range(200):
        try:
            (await asyncio.open_connection('127.0.0.1', port))[1].close()
            return child
        except OSError:
            await asyncio.sleep(0.02)
    raise AssertionError('it does not listen')


# ---- Connecting

async def talk(url, name):
    lines = b''.join(b'line %d\n' % i for i in range(10000))
    equal(await cat(lines, url), (lines, 0, 0), name + ', 10,000 lines')
    equal(await cat(b'a\n\n\xc3\xa9', url), (b'a\n\n\xc3\xa9\n', 0, 0), name + ', the last line')
    equal(await cat(b'', url), (b'', 0, 0), name + ', empty stdin')
    long = b'x' * (1 << 20) + b'\n'
    equal(await cat(long, url), (long, 0, 0), name + ', a line of 1 MiB')
    equal(await cat(b'ask\n', '-1', url), (b'ask\n', 0, 0), name + ', -1')
    equal(await cat(b'1\n2\n3\n', '-1', url), (b'1\n', 0, 0), name + ', -1, the first answer')
    equal(await cat(b'', '-1', url), (b'', 0, 0), name + ', -1, empty stdin')
    noise = os.urandom(3000000)
    equal(await cat(noise, '--binary', url), (noise, 0, 0), name + ', binary')
    noise = noise[:1000000]
    equal(await cat(noise, '-1', '--binary', url), (noise, 0, 0), name + ', binary -1')


async def echo_server():
    await talk(ECHO, 'echo server')


async def node_server():
    child = await start('node', '-e', NODE_ECHO)
    try:
        await talk('ws://127.0.0.1:%d' % int(await child.stdout.readline()), 'node')
    finally:
        child.kill()
        await child.wait()


async def python_server():
    async def echo(ws, path):
        if path == '/4001':
            await ws.close(4001, 'enough')
        if path == '/1000':
            await ws.close(1000, 'enough')
        if path == '/cut':
            ws.transport.abort()
        if path == '/fields':
            await ws.send('%s %s %s' % (ws.request_headers['X-Caw'], ws.origin, ws.subprotocol))
        async for message in ws:
            await ws.send(message)

    def screen(path, headers):
        return (401, [], b'no') if path == '/401' else None
    async with websockets.serve(echo, '127.0.0.1', 0, max_size=None, process_request=screen,
                                subprotocols=['superchat']) as server:
        url = 'ws://127.0.0.1:%d' % server.sockets[0].getsockname()[1]
        await talk(url, 'python')
        equal(await cat(b'x\n', url + '/4001'), (b'', 3, 1), '4001')
        equal(await cat(b'', url + '/1000'), (b'', 0, 0), '1000')
        equal(await cat(b'', url + '/cut'), (b'', 3, 1), 'no Close')
        equal(await cat(b'', url + '/401'), (b'', 1, 1), '401')
        equal(await cat(b'', '-H', 'X-Caw: caw', '--origin', 'http://crow', '--subprotocol', 'chat',
                        '--subprotocol', 'superchat', url + '/fields'),
              (b'caw http://crow superchat\n', 0, 0), 'fields')
        equal(await cat(b'x\xff\n', url), (b'', 1, 1), 'not UTF-8')
        equal(await cat(b'12345\n', '--max-message', '4', url), (b'', 1, 1), 'too long a line')


async def failures():
    child = await cawscat('ws://127.0.0.1:' + free_port())
    out, err = await child.communicate(b'x\n')
    equal((out, child.returncode, b'refused' in err), (b'', 1, True), 'refused')
    child = await cawscat('ws://nowhere.invalid/')
    out, err = await child.communicate(b'x\n')
    equal((out, child.returncode, b'not found' in err), (b'', 1, True), 'not found')
    silent = await asyncio.start_server(lambda reader, writer: None, '127.0.0.1', 0)
    url = 'ws://127.0.0.1:%d' % silent.sockets[0].getsockname()[1]
    child = await cawscat('--timeout', '0.2', url)
    out, err = await child.communicate(b'x\n')
    equal((out, child.returncode, b'timed out' in err), (b'', 1, True), 'timed out')
    for args in [[], ['a', 'b'], ['--nonsense', ECHO], ['wss://localhost/'], ['http://localhost/'],
                 ['-H', 'no colon', ECHO], ['--listen', 'x'], ['--ping', '-1', ECHO]]:
        equal(await cat(b'', *args), (b'', 2, 1), ' '.join(args))
    equal((await cat(b'', '--listen', os.environ['ECHO']))[1:], (1, 1), 'port in use')


async def reader_goes():
    """As with head(1): it ends, quietly, although there is more."""
    child = await asyncio.create_subprocess_shell(
        'yes | "$BUILD/examples/cawscat" %s | head -n 2' % ECHO, stdout=PIPE, stderr=PIPE)
    out, err = await asyncio.wait_for(child.communicate(), 10)
    equal((out, err), (b'y\ny\n', b''), 'head')


# ---- Listening

async def python_client():
    port = free_port()
    child = await listening(port, '--subprotocol', 'chat')
    url = 'ws://127.0.0.1:' + port
    async with websockets.connect(url, subprotocols=['chat']) as ws, websockets.connect(url) as two:
        equal(ws.subprotocol, 'chat', 'subprotocol')
        child.stdin.write(b'one\ntwo\n')
        equal([await ws.recv(), await ws.recv(), await two.recv()], ['one', 'two', 'one'], 'to all')
        await ws.send('a')
        await ws.send(b'b')
        equal(await child.stdout.readexactly(4), b'a\nb\n', 'from one')
        await two.close()
        lines = ['line %d' % i for i in range(10000)] + ['x' * (1 << 20)]
        child.stdin.write('\n'.join(lines).encode())
        child.stdin.close()
        equal([await ws.recv() for _ in lines], lines, '10,000 lines')
        await asyncio.wait_for(ws.wait_closed(), 10)
        equal(ws.close_code, 1000, 'the listener closes')
    out, err = await child.communicate()
    equal((out, err, child.returncode), (b'', b'', 0), 'the listener ends')


async def signalled():
    port = free_port()
    child = await listening(port)
    async with websockets.connect('ws://127.0.0.1:' + port) as ws:
        child.send_signal(signal.SIGTERM)
        await asyncio.wait_for(ws.wait_closed(), 10)
        equal(ws.close_code, 1001, 'SIGTERM')
    out, err = await child.communicate()
    equal((out, err, child.returncode), (b'', b'', 0), 'SIGTERM')


async def node_client():
    port = free_port()
    child = await listening(port)
    node = await start('node', '-e', NODE_CLIENT, 'ws://127.0.0.1:' + port)
    equal(await child.stdout.readexactly(14), b'one\ntwo\nthree\n', 'from node')
    out, err = await asyncio.wait_for(child.communicate(b'caw\n\ncaw'), 10)
    equal((out, err, child.returncode), (b'', b'', 0), 'the listener ends')
    out, err = await asyncio.wait_for(node.communicate(), 10)
    equal(out, b'false caw\nfalse \nfalse caw\n1000\n', 'to node')


async def both():
    """cawscat to cawscat, one question."""
    port = free_port()
    child = await listening(port, '-1')
    asked = asyncio.ensure_future(cat(b'how?\n', '-1', 'ws://127.0.0.1:' + port))
    out, err = await asyncio.wait_for(child.communicate(b'so\n'), 10)
    equal((out, err, child.returncode), (b'how?\n', b'', 0), 'the listener')
    equal(await asked, (b'so\n', 0, 0), 'the asker')


async def main():
    logging.disable()  # websockets tells of each connection that we cut
    tests = [echo_server, node_server, python_server, failures, reader_goes, python_client,
             signalled, node_client, both]
    for test in tests:
        try:
            await asyncio.wait_for(test(), 60)
        except Exception as error:  # whatever it is, it is one failed peer
            print('cawscat: FAILED in %s: %s %s' % (test.__name__, type(error).__name__, error))
            return 1
    print('cawscat: ok (%d checks)' % checks)
    return 0

if __name__ == '__main__':
    sys.exit(asyncio.run(main()))
