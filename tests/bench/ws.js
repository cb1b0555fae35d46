// node's ws under measurement: node ws.js echo|broadcast
const { WebSocketServer } = require('ws')
const broadcast = process.argv[2] === 'broadcast'
const options = { host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 511 }
const server = new WebSocketServer(options, () => console.log(server.address().port))

server.on('connection', ws => {
  ws.on('error', () => {})
  ws.on('message', (data, binary) => {
    if (!broadcast) return ws.send(data, { binary })
    for (const client of server.clients) client.send(data, { binary })
  })
})
