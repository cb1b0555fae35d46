"""Python's websockets against both servers. ECHO and BROADCAST are their ports."""
import asyncio
import json
import os
import signal
import sys

import websockets

ECHO = 'ws://localhost:' + os.environ['ECHO']
BROADCAST = 'ws://localhost:' + os.environ['BROADCAST']
EXAMPLES = os.path.join(os.environ.get('BUILD', 'build'), 'examples')
checks = 0


def equal(found, wanted):
    global checks
    checks += 1
    if found != wanted:
        raise AssertionError('%.200r, not %.200r' % (found, wanted))


def connect(url, **options):
    # No connection from an environment's proxy, no limit but the server's.
    return websockets.connect(url, max_size=None, **options)


async def messages():
    async with connect(ECHO) as ws:
        texts = ['caw', '', 'h\u00e9, \u4e16\u754c \U0001f426', json.dumps({'a': [1, 2.5, None]})]
        sizes = [0, 1, 125, 126, 127, 65535, 65536, 1 << 20]
        for sent in texts + ['x' * n for n in sizes] + [bytes([n & 255]) * n for n in sizes]:
            await ws.send(sent)
            equal(await ws.recv(), sent)


async def many_at_once():
    async with connect(ECHO) as ws:
        sent = ['message %d' % i for i in range(2000)]

        async def send():
            for text in sent:
                await ws.send(text)
        sender = asyncio.ensure_future(send())
        equal([await ws.recv() for _ in sent], sent)
        await sender


async def fragments():
    async def pieces(all_pieces):
        for piece in all_pieces:
            yield piece
    async with connect(ECHO) as ws:
        await ws.send(pieces(['one, ', '', 'two, ', 'three']))
        equal(await ws.recv(), 'one, two, three')
        await ws.send(pieces([bytes([i & 255]) * 64 for i in range(1000)]))
        equal(await ws.recv(), b''.join(bytes([i & 255]) * 64 for i in range(1000)))


async def pings():
    async with connect(ECHO) as ws:
        waiters = [await ws.ping(b'ping %d' % i) for i in range(10)]
        waiters.append(await ws.ping(b'p' * 125))
        for waiter in waiters:
            await asyncio.wait_for(waiter, 5)
            equal(waiter.done(), True)
        await ws.pong(b'unasked')
        await ws.send('after')
        equal(await ws.recv(), 'after')


async def close_codes():
    for code, reason in [(1000, ''), (1001, 'leaving'), (1003, 'x' * 123), (3000, '\u00e9'),
                         (4999, 'last')]:
        ws = await connect(ECHO)
        await ws.close(code, reason)
        # The answer has the code alone (5.5.1).
        equal((ws.close_code, ws.close_reason), (code, ''))


async def too_big():
    async with connect(ECHO) as ws:
        await ws.send(b'x' * ((1 << 20) + 1))
        try:
            await asyncio.wait_for(ws.recv(), 5)
        except websockets.ConnectionClosed:
            pass
        equal(ws.close_code, 1009)


async def handshake():
    async with connect(ECHO + '/chat?x=1', subprotocols=['chat', 'superchat'],
                       origin='https://example.org') as ws:
        equal(ws.subprotocol, None)  # unanswered, and websockets accepts that
        equal(ws.extensions, [])     # permessage-deflate was offered
    try:
        await connect(ECHO, extra_headers={'Sec-WebSocket-Version': '8'})
        equal('accepted', 'refused')
    except websockets.InvalidStatusCode as error:
        equal(error.status_code, 400)  # the field comes twice, 13 and 8


async def flock():
    crows = [await connect(BROADCAST) for _ in range(6)]

    async def hear(ws):
        return [await asyncio.wait_for(ws.recv(), 10) for _ in range(6 * 30)]
    ears = [asyncio.ensure_future(hear(ws)) for ws in crows]
    for i in range(30):
        for n, ws in enumerate(crows):
            await ws.send('%d says %d' % (n, i) if i % 2 else bytes([n, i]))
    heard = [await ear for ear in ears]
    for other in heard[1:]:
        equal(other, heard[0])
    for n in range(6):
        equal([m for m in heard[0] if isinstance(m, str) and m.startswith('%d ' % n)],
              ['%d says %d' % (n, i) for i in range(1, 30, 2)])
    for ws in crows:
        await ws.close()


async def going_away():
    server = await asyncio.create_subprocess_exec(
        os.path.join(EXAMPLES, 'broadcast_server'), '--port', '0', stdout=asyncio.subprocess.PIPE)
    try:
        first = (await server.stdout.readline()).decode()
        ws = await connect(first.split()[2])
        server.send_signal(signal.SIGTERM)
        await asyncio.wait_for(ws.wait_closed(), 5)
        equal(ws.close_code, 1001)
        equal(await asyncio.wait_for(server.wait(), 5), 0)
    finally:
        if server.returncode is None:
            server.kill()


async def main():
    peer = 'python websockets ' + websockets.__version__
    for test in [messages, many_at_once, fragments, pings, close_codes, too_big, handshake, flock,
                 going_away]:
        try:
            await asyncio.wait_for(test(), 30)
        except Exception as error:  # whatever it is, it is one failed peer
            print('%s: FAILED in %s: %s %s' % (peer, test.__name__, type(error).__name__, error))
            return 1
    print('%s: ok (%d checks)' % (peer, checks))
    return 0

if __name__ == '__main__':
    sys.exit(asyncio.run(main()))
