"use strict";
// What a timeline's data say, ready to be asked: rows of slices that do not overlap, who is where at a
// moment, which state fills most of a stretch. Knows nothing of pixels.
const TimelineModel = (() => {
  const FLAG_PREEMPTED = 1, FLAG_OPEN = 2, FLAG_FAILURE = 4;

  // The first index in `sorted`, from `from` on, whose value is at least `value`; quick if it is near.
  function atLeast(sorted, value, from, count) {
    let low = from, step = 1;
    while (low + step < count && sorted[low + step] < value) { low += step; step *= 2; }
    let high = Math.min(low + step, count);
    if (low < count && sorted[low] >= value) return low;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (sorted[middle] < value) low = middle; else high = middle;
    }
    return high;
  }

  // One level of one lane: slices in the order of time, none of which overlaps another.
  function makeRow(model, lane, depth, indices) {
    const count = indices.length;
    const row = {
      lane, depth, count, slices: Int32Array.from(indices),
      begin: new Float64Array(count), end: new Float64Array(count), states: [], sums: [],
    };
    const known = new Map();
    for (let i = 0; i < count; i++) {
      const slice = indices[i];
      row.begin[i] = model.begin[slice];
      row.end[i] = model.end[slice];
      if (!known.has(model.state[slice])) known.set(model.state[slice], known.size);
    }
    // sums[k][i]: how long the slices before i were in state k. So any stretch is summed by one subtraction.
    row.states = [...known.keys()];
    row.sums = row.states.map(() => new Float64Array(count + 1));
    for (let i = 0; i < count; i++) {
      const mine = known.get(model.state[indices[i]]);
      for (let k = 0; k < row.sums.length; k++) {
        row.sums[k][i + 1] = row.sums[k][i] + (k === mine ? row.end[i] - row.begin[i] : 0);
      }
    }
    return row;
  }

  function makeRows(model) {
    const rows = model.lanes.map(() => []);
    const lists = model.lanes.map(() => []);
    const ends = model.lanes.map(() => []);
    for (let i = 0; i < model.count; i++) {
      const stack = ends[model.lane[i]];
      while (stack.length && stack[stack.length - 1] <= model.begin[i]) stack.pop();
      const list = lists[model.lane[i]];
      (list[stack.length] ||= []).push(i);
      model.depth[i] = stack.length;
      if (model.end[i] > model.begin[i]) stack.push(model.end[i]);
    }
    lists.forEach((list, lane) => list.forEach((indices, depth) => rows[lane].push(makeRow(model, lane, depth, indices))));
    return rows;
  }

  function makeArrows(data) {
    const order = data.begin.map((_, i) => i).sort((a, b) => data.begin[a] - data.begin[b]);
    const pick = (values, type) => type.from(order, (i) => values[i]);
    const arrows = {
      count: order.length, from: pick(data.from, Int32Array), to: pick(data.to, Int32Array),
      begin: pick(data.begin, Float64Array), end: pick(data.end, Float64Array),
      kind: pick(data.kind, Uint8Array), label: pick(data.label, Int32Array), latest: [],
    };
    // The latest end of each 256: what lies before the view is passed over in blocks.
    for (let i = 0; i < arrows.count; i++) {
      const block = i >> 8;
      arrows.latest[block] = Math.max(arrows.latest[block] ?? -Infinity, arrows.end[i]);
    }
    return arrows;
  }

  function decode(data) {
    const given = data.slices, count = given.lane.length;
    const model = {
      title: data.title, unit: data.unit, length: data.length, notes: data.notes, states: data.states,
      strings: data.strings, places: data.places, sources: data.sources, count,
      lanes: data.lanes.map(([name, group, kind, note], index) => ({ index, name, group, kind, note })),
      lane: Int32Array.from(given.lane), state: Uint8Array.from(given.state), depth: new Uint8Array(count),
      begin: new Float64Array(count), end: new Float64Array(count),
      label: Int32Array.from(given.label), detail: Int32Array.from(given.detail), place: Int32Array.from(given.place),
      thing: Int32Array.from(given.thing), holder: Int32Array.from(given.holder), flags: Uint8Array.from(given.flags),
      arrowKinds: data.arrow_kinds, arrows: makeArrows(data.arrows),
    };
    // Begins are sent as distances from the slice before it in the lane.
    let lane = -1, last = 0;
    for (let i = 0; i < count; i++) {
      if (model.lane[i] !== lane) { lane = model.lane[i]; last = 0; }
      last += given.begin[i];
      model.begin[i] = last;
      model.end[i] = last + given.length[i];
    }
    // Where it is worth looking from: at first nothing may have happened for long.
    model.first = Math.min(model.begin.reduce((least, begin) => Math.min(least, begin), Infinity), model.length);
    if (model.first < model.length * 0.1) model.first = 0;
    model.rows = makeRows(model);
    model.counters = data.counters.map((counter) => ({
      ...counter, at: Float64Array.from(counter.at), value: Float64Array.from(counter.value),
      most: counter.value.reduce((most, value) => Math.max(most, value), 0),
    }));
    for (const counter of model.counters) counter.top = Math.max(counter.most, counter.limit ?? 0, 1);
    model.groups = [];
    for (const one of model.lanes) {
      const group = model.groups.find((known) => known.name === one.group);
      if (group) group.lanes.push(one.index); else model.groups.push({ name: one.group, lanes: [one.index], isClosed: false });
    }
    return model;
  }

  // The position in `row` of the first slice that ends after `moment`.
  function firstAfter(row, moment) {
    let i = atLeast(row.end, moment, 0, row.count);
    while (i < row.count && row.end[i] <= moment && row.begin[i] < moment) i++;
    return i;
  }

  // Which state fills most of the slices from..until of a row.
  function dominant(row, from, until) {
    let best = 0, most = -1;
    for (let k = 0; k < row.sums.length; k++) {
      const sum = row.sums[k][until] - row.sums[k][from];
      if (sum > most) { most = sum; best = k; }
    }
    return row.states[best];
  }

  // How long a row is in each state between two moments: [[state, length]], longest first.
  function totals(row, begin, end) {
    const from = firstAfter(row, begin);
    const until = atLeast(row.begin, end, from, row.count);
    if (from >= until) return [];
    const sums = new Map(row.states.map((state, k) => [state, row.sums[k][until] - row.sums[k][from]]));
    const cut = (i, length) => {
      const state = row.states.find((s, k) => row.sums[k][i + 1] > row.sums[k][i]);
      if (length > 0 && state !== undefined) sums.set(state, sums.get(state) - length);
    };
    cut(from, begin - row.begin[from]);
    cut(until - 1, row.end[until - 1] - end);
    return [...sums].filter(([, length]) => length > 0).sort((a, b) => b[1] - a[1]);
  }

  // The innermost slice of a lane at a moment, or -1.
  function sliceAt(model, lane, moment) {
    for (let depth = model.rows[lane].length - 1; depth >= 0; depth--) {
      const row = model.rows[lane][depth];
      const i = firstAfter(row, moment);
      if (i < row.count && row.begin[i] <= moment) return row.slices[i];
    }
    return -1;
  }

  // How many tasks run in each of `count` equal stretches of the run, from where it is worth looking.
  function running(model, count) {
    const wanted = new Set(["running", "work", "collect"].map((name) => model.states.indexOf(name)));
    const result = new Float64Array(count);
    const width = (model.length - model.first) / count || 1;
    for (const lane of model.lanes) {
      const row = model.rows[lane.index][0];
      if (lane.kind !== "task" || !row) continue;
      for (let i = 0; i < count; i++) {
        for (const [state, length] of totals(row, model.first + i * width, model.first + (i + 1) * width)) if (wanted.has(state)) result[i] += length / width;
      }
    }
    return result;
  }

  // The slices whose label, sentence or source line holds `text`, in the order of time; and such lanes.
  function search(model, text) {
    const wanted = text.toLowerCase();
    const isHit = model.strings.map((string) => string.toLowerCase().includes(wanted));
    const isPlace = model.places.map(([file, , source, name]) => isHit[file] || isHit[source] || isHit[name]);
    const slices = [];
    for (let i = 0; i < model.count; i++) {
      if (isHit[model.label[i]] || isHit[model.detail[i]] || (model.place[i] >= 0 && isPlace[model.place[i]])) slices.push(i);
    }
    slices.sort((a, b) => model.begin[a] - model.begin[b] || model.lane[a] - model.lane[b]);
    return { slices, lanes: model.lanes.filter((lane) => isHit[lane.name]).map((lane) => lane.index) };
  }

  // A moment or a stretch in words, as exact as `step` (the distance that matters) asks for, in the unit for `size`.
  const UNITS = [["s", 1e9], ["ms", 1e6], ["µs", 1e3], ["ns", 1]];
  function inWords(model, value, step = Math.abs(value) / 1000, size = Math.max(Math.abs(value), step)) {
    if (model.unit === "step") return Number.isInteger(value) ? `${value}` : value.toFixed(1);
    const [name, factor] = UNITS.find(([, limit]) => size >= limit) ?? UNITS[3];
    const digits = Math.min(9, Math.max(0, Math.ceil(-Math.log10(Math.max(step, 1e-9) / factor) - 1e-9)));
    return `${(value / factor).toFixed(digits)} ${name}`;
  }

  return { decode, atLeast, firstAfter, dominant, totals, sliceAt, running, search, inWords, FLAG_PREEMPTED, FLAG_OPEN, FLAG_FAILURE };
})();
