#include "snow_page_html.h"

namespace demo {

const char* const kSnowPageHTML = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>snow</title>
<link rel="icon" href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'
  viewBox='-12 -12 24 24' stroke='%234a86c5' stroke-width='3' stroke-linecap='round'><path
  d='M0-10V10M-8.7-5 8.7 5M-8.7 5 8.7-5'/></svg>">
<style>
:root {
  --ground: #f4f7fa; --card: #fff; --text: #1c2733; --quiet: #566473; --line: #dbe3ea;
  --accent: #1f63a8; --on-accent: #fff; --fresh: #dcebfa; --good: #1c7c4a; --bad: #b3362b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10161d; --card: #18212b; --text: #e3eaf1; --quiet: #93a3b3; --line: #2a3743;
    --accent: #79b4f0; --on-accent: #0c1823; --fresh: #22405e; --good: #62c894; --bad: #f08a7f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 2.5rem 1.25rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif;
}
main { max-width: 44rem; margin: 0 auto; }
header { display: flex; align-items: center; gap: .6rem; }
header svg { width: 1.9rem; stroke: var(--accent); }
h1 { margin: 0; font-size: 1.7rem; letter-spacing: .01em; }
h2 { margin: 0; font-size: 1.05rem; }
p { margin: .4rem 0; }
.quiet { color: var(--quiet); }
#link { margin-left: auto; font-size: .9rem; color: var(--quiet); }
#link::before {
  content: ""; display: inline-block; width: .6em; height: .6em; margin-right: .45em;
  border-radius: 50%; background: currentColor;
}
#link.live { color: var(--good); }
#link.lost { color: var(--bad); }
.buttons { display: flex; flex-wrap: wrap; align-items: center; gap: .6rem; margin-top: 1.4rem; }
button {
  padding: .55rem 1.1rem; border: 1px solid var(--accent); border-radius: .5rem; cursor: pointer;
  background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600;
}
#release { background: transparent; color: var(--accent); }
button:hover { filter: brightness(1.08); }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button[aria-disabled=true] { opacity: .45; cursor: not-allowed; }
#notice { margin-left: .4rem; }
section {
  margin-top: 1.1rem; padding: 1rem 1.25rem; border: 1px solid var(--line);
  border-radius: .75rem; background: var(--card); overflow-x: auto;
}
.lost table, .lost #count { opacity: .5; }
.heading { display: flex; align-items: baseline; justify-content: space-between; gap: 1rem; }
table { width: 100%; margin-top: .5rem; border-collapse: collapse; }
th { color: var(--quiet); font-size: .85rem; font-weight: 500; text-align: left; }
th, td { padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; }
th:last-child, td:last-child { padding-right: 0; text-align: right; white-space: nowrap; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
td:first-child { width: 7rem; color: var(--quiet); }
.done { color: var(--good); font-weight: 600; }
.cut { color: var(--bad); }
code { font: .92em ui-monospace, monospace; }
footer { margin-top: 1.2rem; font-size: .9rem; }
@media (prefers-reduced-motion: no-preference) {
  tbody tr { animation: fall .9s ease-out; }
  @keyframes fall { from { background: var(--fresh); } }
}
</style>
</head>
<body>
<main>
<header>
  <svg viewBox="-12 -12 24 24" stroke-width="2.2" stroke-linecap="round" aria-hidden="true"><path
    d="M0-10V10M-8.7-5 8.7 5M-8.7 5 8.7-5M-3-8 0-5 3-8M-3 8 0 5 3 8"/></svg>
  <h1>snow</h1>
  <span id="link" role="status">connecting</span>
</header>
<p class="quiet">A parked request waits, and costs nothing, until another one releases it.</p>
<noscript><p>Without JavaScript this page cannot show them. From a shell, ask for
<code>/req/</code> to park a request and for <code>/stop/</code> to release one.</p></noscript>

<div class="buttons">
  <button id="park" type="button" aria-describedby="hint">Park a request</button>
  <button id="release" type="button">Release the oldest</button>
  <span id="notice" role="status"></span>
</div>

<section id="parked" aria-labelledby="parked-title">
  <div class="heading">
    <h2 id="parked-title">Waiting</h2>
    <span id="count" class="quiet" role="status"></span>
  </div>
  <table hidden>
    <thead><tr><th scope="col">Number</th><th scope="col">Client</th>
      <th scope="col">Has waited</th></tr></thead>
    <tbody></tbody>
  </table>
  <p id="others" class="quiet" hidden></p>
</section>

<section id="mine" aria-labelledby="mine-title" hidden>
  <h2 id="mine-title">Parked from this page</h2>
  <p id="hint" class="quiet" hidden>Four wait, and a browser opens no more connections to one
  server: release one, or park more from a shell.</p>
  <table>
    <thead><tr><th scope="col">Parked at</th><th scope="col">Answer</th>
      <th scope="col">After</th></tr></thead>
    <tbody aria-live="polite" aria-atomic="false"></tbody>
  </table>
</section>

<footer class="quiet">
  <p id="worker" hidden></p>
  <p>From a shell: <code>curl <span class="here"></span>/req/</code> parks,
    <code>curl <span class="here"></span>/stop/</code> releases.</p>
</footer>
</main>

<script>
'use strict';

const mostPending = 4;  // of the six connections that a browser opens, two are for the rest
const mostAnswers = 8;  // that are shown
const patience = 5000;  // ms

const find = (selector) => document.querySelector(selector);
const now = () => performance.now();

function spell(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function makeRow(...texts) {
  const row = document.createElement('tr');
  for (const text of texts) row.insertCell().textContent = text;
  return row;
}

function setText(element, text) {  // what stays is not read aloud again
  if (element.textContent !== text) element.textContent = text;
}

// --- What waits, as the server tells it ---

const rows = new Map();  // by number: {row, since}

let clock;

function forget(number) {
  rows.get(number).row.remove();
  rows.delete(number);
}

function show(news) {
  const shown = new Set(news.oldest.map((request) => request.number));
  for (const number of rows.keys())
    if (!shown.has(number)) forget(number);
  for (const {number, client, waited} of news.oldest) {
    if (rows.has(number)) continue;
    const row = makeRow(number, client, '');
    find('#parked tbody').append(row);
    rows.set(number, {row, since: now() - waited * 1000});
  }
  find('#parked table').hidden = rows.size === 0;
  setText(find('#count'), news.parked === 0 ? 'nothing' :
      news.parked === 1 ? 'one request' : `${news.parked} requests`);
  find('#others').hidden = news.parked === rows.size;
  setText(find('#others'), `and ${news.parked - rows.size} more`);
  find('#worker').hidden = news.worker === null;
  setText(find('#worker'), `These are worker ${news.worker}'s. Each worker has parked requests ` +
      'of its own, and what you park or release may be those of another one.');
  tick();
}

function tick() {
  if (document.hidden) return;
  for (const {row, since} of rows.values()) row.cells[2].textContent = spell(now() - since);
}

function setLive(live) {
  clearInterval(clock);
  if (live) clock = setInterval(tick, 1000);
  find('#link').className = live ? 'live' : 'lost';
  setText(find('#link'), live ? 'live' : 'disconnected');
  find('#parked').classList.toggle('lost', !live);
}

let events;

function listen() {
  events = new EventSource('/');
  events.onopen = () => {  // perhaps of a server that counts anew
    for (const number of rows.keys()) forget(number);
  };
  events.onmessage = (event) => {
    setLive(true);
    show(JSON.parse(event.data));
  };
  events.onerror = () => {  // the browser tries again by itself, unless it was refused
    setLive(false);
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, patience);
  };
}

// --- What people do ---

let pending = 0;

function changePending(by) {
  pending += by;
  find('#park').setAttribute('aria-disabled', pending >= mostPending);
  find('#hint').hidden = pending < mostPending;
}

function expectAnswer() {
  const row = makeRow(new Date().toLocaleTimeString(), 'waiting', '');
  const body = find('#mine tbody');
  body.prepend(row);
  while (body.rows.length > mostAnswers) body.lastChild.remove();
  find('#mine').hidden = false;
  return row;
}

async function park() {
  if (pending >= mostPending) return;
  changePending(+1);
  const [, answer, after] = expectAnswer().cells;
  const begun = now();
  try {
    const response = await fetch('/req/', {cache: 'no-store'});
    answer.textContent = await response.text();
    answer.className = response.ok ? 'done' : 'cut';
  } catch {
    answer.textContent = 'none, the connection was cut';
    answer.className = 'cut';
  }
  after.textContent = spell(now() - begun);
  changePending(-1);
}

async function release() {
  const notice = find('#notice');
  notice.textContent = '';
  try {
    const response =
        await fetch('/stop/', {cache: 'no-store', signal: AbortSignal.timeout(patience)});
    notice.textContent = await response.text();
  } catch (error) {
    notice.textContent = error.name === 'TimeoutError' ?
        'No answer. Does another tab of this page hold all connections that the browser opens?' :
        'The server cannot be reached.';
  }
}

find('#park').addEventListener('click', park);
find('#release').addEventListener('click', release);
for (const here of document.querySelectorAll('.here')) here.textContent = location.origin;
listen();
</script>
</body>
</html>
)html";

}  // namespace demo
