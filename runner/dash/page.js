'use strict';
// What the server sends is kept a run: columns by step.  Charts are made anew where their curves change, else given new data.
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7f7f7f'];
const CHARTS = ['loss', 'lr', 'grad_norm', 'tokens_per_s', 'memory'];
const KEYS = [...CHARTS, 'val_loss'];
const MOST = 16;
const $ = id => document.getElementById(id);
const runs = new Map(); // name: { color, on, step: [], loss: [] ..., samples, config, label }
const charts = {};
let events = null, planned = 0;

const short = (value, digits) => value == null ? '' : String(Number(value.toPrecision(digits)));
const chosen = () => [...runs].filter(([, r]) => r.on);

function clear(r) {
	r.step = [];
	KEYS.forEach(k => r[k] = []);
	r.samples = '';
}

function takeMetrics(r, lines) {
	for (const line of lines) {
		let m;
		try { m = JSON.parse(line); } catch { continue; }
		while (r.step.length && r.step.at(-1) >= m.step) // cut back by resume: the step is made again
			[r.step, ...KEYS.map(k => r[k])].forEach(column => column.pop());
		r.step.push(m.step);
		m.memory &&= m.memory / 2 ** 20;
		KEYS.forEach(k => r[k].push(m[k] ?? null));
	}
}

// ---- curves ----

function smooth(values, keep) {
	let mean = 0, weight = 0;
	return values.map(v => {
		mean = keep * mean + (1 - keep) * v;
		weight = keep * weight + (1 - keep);
		return mean / weight;
	});
}

function present(r, key) {
	const at = r[key].map((v, i) => v === null ? -1 : i).filter(i => i >= 0);
	return [at.map(i => r.step[i]), at.map(i => r[key][i])];
}

// Tables of [steps, values], and how each is drawn.
function curves(key) {
	const tables = [], series = [], keep = Number($('smooth').value);
	const add = (table, label, stroke, more) => { tables.push(table); series.push({ label, stroke, spanGaps: true, ...more }); };
	for (const [name, r] of chosen()) {
		if (key !== 'loss') {
			add([r.step, r[key]], name, r.color, { width: 1, points: { show: false } });
			continue;
		}
		if (keep > 0)
			add([r.step, r.loss], name + ', each step', r.color + '40', { width: 1, points: { show: false } });
		add([r.step, keep > 0 ? smooth(r.loss, keep) : r.loss], name, r.color, { width: 1, points: { show: false } });
		add(present(r, 'val_loss'), name + ', validation', r.color,
			{ width: 2, dash: [6, 4], points: { show: true, size: 6, fill: r.color } });
	}
	return { tables, series };
}

function options(key, series, width) {
	const style = getComputedStyle(document.documentElement);
	const axis = { stroke: style.getPropertyValue('--text'), grid: { stroke: style.getPropertyValue('--line'), width: 1 },
		ticks: { stroke: style.getPropertyValue('--line') } };
	const log = (key === 'loss' && $('logy').checked) ? 3 : 1;
	return {
		width, height: key === 'loss' ? 340 : 220,
		scales: { x: { time: false, distr: $('logx').checked ? 3 : 1 }, y: { distr: log } },
		axes: [axis, { ...axis, size: 64, values: (u, at) => at.map(v => short(v, 4)) }],
		series: [{ label: 'step' }, ...series],
		legend: { markers: { fill: (u, i) => series[i - 1].dash ? series[i - 1].stroke : null } },
	};
}

function draw(key) {
	const box = $(key), { tables, series } = curves(key), width = Math.floor(box.clientWidth);
	const data = tables.length ? uPlot.join(tables) : [[]];
	const what = JSON.stringify([series.map(s => s.label), $('logx').checked, $('logy').checked, matchMedia('(prefers-color-scheme: dark)').matches]);
	const c = charts[key];
	if (c && c.what === what) {
		if (c.plot.width !== width)
			c.plot.setSize({ width, height: c.plot.height });
		c.plot.setData(data);
		return;
	}
	if (c)
		c.plot.destroy();
	charts[key] = { what, plot: new uPlot(options(key, series, width), data, box) };
}

// ---- text ----

function showSamples() {
	const box = $('samples'), end = box.scrollTop + box.clientHeight >= box.scrollHeight - 8;
	box.replaceChildren();
	for (const [name, r] of chosen()) {
		if (!r.samples)
			continue;
		const pre = document.createElement('pre'), b = document.createElement('b');
		b.textContent = name + '\n';
		pre.append(b, r.samples.slice(-20000).trimEnd());
		box.append(pre);
	}
	if (end)
		box.scrollTop = box.scrollHeight;
}

// In place of the charts where there are none.
function showLast() {
	const last = (r, key) => short(r[key].findLast(v => v !== null), 6);
	$('last').replaceChildren(row(['', 'step', 'loss', 'validation', 'lr', 'gradient norm', 'tokens/s', 'MiB'], 'th', false));
	for (const [name, r] of chosen())
		$('last').append(row([name, r.step.at(-1) ?? '', ...['loss', 'val_loss', 'lr', 'grad_norm', 'tokens_per_s', 'memory']
			.map(key => last(r, key))], 'td', false));
}

function parseIni(text) {
	const out = new Map();
	let section = '';
	for (const line of text.split('\n')) {
		const head = line.match(/^\[(.*)\]/), at = line.indexOf('=');
		if (head)
			section = head[1];
		else if (at > 0 && !line.startsWith(';'))
			out.set(section + '.' + line.slice(0, at).trim(), line.slice(at + 1).trim());
	}
	return out;
}

function row(cells, tag, mark) {
	const tr = document.createElement('tr');
	for (const text of cells)
		tr.appendChild(document.createElement(tag)).textContent = text;
	tr.classList.toggle('differs', mark);
	return tr;
}

function showConfig() {
	const list = chosen().filter(([, r]) => r.config), keys = new Set(list.flatMap(([, r]) => [...r.config.keys()]));
	const only = $('differences').checked && list.length > 1;
	$('config').replaceChildren(row(['', ...list.map(([name]) => name)], 'th', false));
	for (const key of keys) {
		const values = list.map(([, r]) => r.config.get(key) ?? '');
		const differs = values.some(v => v !== values[0]);
		if (differs || !only)
			$('config').append(row([key, ...values], 'td', differs));
	}
}

async function showSame() {
	const two = chosen().map(([name]) => name), box = $('same');
	box.hidden = two.length !== 2;
	if (box.hidden)
		return;
	const query = new URLSearchParams({ a: two[0], b: two[1] });
	const got = await fetch('same?' + query).then(r => r.json()).catch(e => ({ error: String(e) }));
	const both = two.join(' and ');
	if (got.error)
		box.textContent = `${both} cannot be compared: ${got.error}`;
	else if (got.through < 0)
		box.textContent = `${both} differ from the start`;
	else if (got.through === got.of)
		box.textContent = `${both} are identical through step ${got.through}, as far as both go`;
	else
		box.textContent = `${both} are identical through step ${got.through}, and differ from step ${got.through + 1} on`;
}

// ---- all of it ----

function show() {
	planned = 0;
	for (const [, r] of runs) {
		const n = r.step.length;
		r.label.textContent = n ? ` step ${r.step[n - 1]}, loss ${r.loss[n - 1].toFixed(4)}` : '';
	}
	if (typeof uPlot !== 'undefined')
		CHARTS.forEach(draw);
	else
		showLast();
	showSamples();
}

function plan() {
	planned ||= setTimeout(show, 150); // steps may come by the hundred
}

function follow() {
	events?.close();
	for (const [, r] of runs)
		clear(r);
	const query = new URLSearchParams(chosen().map(([name]) => ['run', name]));
	events = new EventSource('events?' + query);
	const on = (event, act) => events.addEventListener(event, e => {
		const lines = e.data.split('\n'), r = runs.get(lines.shift());
		if (r)
			act(r, lines);
		plan();
	});
	on('reset', clear);
	on('metrics', takeMetrics);
	on('samples', (r, lines) => r.samples += lines.join('\n') + '\n');
	plan();
	showConfig();
	showSame();
}

function addRun(name) {
	const r = { color: COLORS[runs.size % COLORS.length], on: chosen().length < Math.min(8, MOST), label: document.createElement('small') };
	const label = document.createElement('label'), box = document.createElement('input'), dot = document.createElement('i');
	clear(r);
	box.type = 'checkbox';
	box.checked = r.on;
	box.onchange = () => {
		r.on = box.checked = box.checked && chosen().length < MOST;
		follow();
	};
	dot.style.background = r.color;
	label.append(box, dot, name, r.label);
	$('runs').append(label);
	runs.set(name, r);
	return fetch('config?' + new URLSearchParams({ run: name })).then(a => a.ok ? a.text() : '').then(text => r.config = parseIni(text));
}

async function findRuns() {
	const names = await fetch('runs').then(r => r.json()).catch(() => []);
	const fresh = names.filter(name => !runs.has(name));
	await Promise.all(fresh.map(addRun));
	if (fresh.length)
		follow();
}

for (const id of ['smooth', 'logx', 'logy'])
	$(id).oninput = plan;
$('differences').onchange = showConfig;
addEventListener('resize', plan);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', plan);
if (typeof uPlot === 'undefined') {
	$('note').hidden = false;
	document.querySelectorAll('.chart').forEach(c => c.parentNode.hidden = true);
	$('last').closest('section').hidden = false;
	$('controls').hidden = true;
	$('note').textContent = 'No charts: this hlxt was built without uPlot (configure --with-uplot). The rest works, and hlxt plot draws losses.';
}
findRuns();
setInterval(findRuns, 3000);
setInterval(showSame, 3000);
