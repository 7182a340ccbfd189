#!/usr/bin/env node
// node_web: Node's own HTTP server, which answers OK.
'use strict';

const server = require('http').createServer((request, response) => {
  response.statusCode = request.url === '/index/' ? 200 : 404;
  response.setHeader('Content-Type', 'text/plain');
  response.end(response.statusCode === 200 ? 'OK' : '');
});
server.listen(0, '127.0.0.1', () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
